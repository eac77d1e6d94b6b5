"""Operations on tensors whose derivative would be zero everywhere, or infinite at zero."""

from jaxtyping import Float

from raim.metrics.arrays import Tensor


def round_straight_through(values: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Round to integers, halves to even; the gradient is that of no rounding.

    Example:
        >>> import torch
        >>> round_straight_through(torch.tensor([0.5, 1.5, 1.7])).tolist()
        [0.0, 2.0, 2.0]
    """
    return values + (values.round() - values).detach()


def safe_power(values: Float[Tensor, "..."], exponent: float) -> Float[Tensor, "..."]:
    """Raise to a power between 0 and 1; what is not positive becomes 0, with the derivative 0.

    Example:
        >>> import torch
        >>> safe_power(torch.tensor([-1.0, 0.0, 9.0]), 0.5).tolist()
        [0.0, 0.0, 3.0]
    """
    import torch

    positive = values > 0
    return torch.where(positive, torch.where(positive, values, 1.0) ** exponent, 0.0)
