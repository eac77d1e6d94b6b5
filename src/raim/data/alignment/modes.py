"""The four kinds of captures that pairs are made of, and what each asks of the alignment.

| mode | input | reference | what differs besides position |
|---|---|---|---|
| `burst` | one shot of a still scene | the mean of the other shots | noise |
| `zoom` | short focal length, or another camera | long focal length | scale, sharpness, tone |
| `blur` | defocus or camera shake | a sharp shot | sharpness |
| `moire` | a screen or fabric with moire | the same without | stripes, tone |

Sources: the mean of many shots, Xu et al., "Real-world Noisy Image Denoising: A New Benchmark", arXiv 1804.02603;
two focal lengths, Cai et al., "Toward Real-World Single Image Super-Resolution", ICCV 2019; sharp against blurred,
Rim et al., "Real-World Blur Dataset for Learning and Benchmarking Deblurring Algorithms", ECCV 2020; moire, Sun, Yu
and Wang, "Moire Photo Restoration Using Multiresolution Convolutional Neural Networks", IEEE TIP 27(8), 2018.
"""

from dataclasses import dataclass

from raim.errors import unknown_name


@dataclass(frozen=True, kw_only=True, slots=True)
class Mode:
    """What a kind of captures asks of the alignment.

    Attributes:
        name: As in the command line and in captures.csv.
        scenario: What the manifest calls its pairs.
        sharpness_px: Gaussian blurs of the reference, in px of the reference, at which features are looked for; the
            one with the best match is taken, so that features of a sharp picture are found again in a blurred one.
        smoothing_px: Gaussian blur of both before optical flow: above noise, or above the period of stripes.
        detail_px: The same before brightness is compared, which weighs noise and stripes by itself.
        has_stripes: Whether stripes are attenuated in both before brightness is compared.
        kernel_px: Side of the largest blur that is looked for between reference and input; 0: none.
        tile_px: Side of the tiles on which the residual is measured; a few times the blur.
        largest_scale: The most that one picture may be larger than the other.
        n_references: The least number of shots besides the input.
    """

    name: str
    scenario: str
    sharpness_px: tuple[float, ...] = (0.0,)
    smoothing_px: float = 1.0
    detail_px: float = 1.0
    has_stripes: bool = False
    kernel_px: int = 0
    tile_px: int = 64
    largest_scale: float = 1.3
    n_references: int = 1


ALIGNMENT_MODES = {
    mode.name: mode
    for mode in (
        Mode(name="burst", scenario="denoise", smoothing_px=1.5, detail_px=1.5, n_references=2),
        Mode(
            name="zoom",
            scenario="super_resolution",
            sharpness_px=(0.0, 1.5, 3.0),
            kernel_px=21,
            largest_scale=8.0,
        ),
        Mode(name="blur", scenario="blur", sharpness_px=(0.0, 1.5, 3.0, 6.0), kernel_px=45, tile_px=96),
        Mode(
            name="moire",
            scenario="moire",
            sharpness_px=(0.0, 2.0, 4.0),
            smoothing_px=3.0,
            has_stripes=True,
            kernel_px=9,
            tile_px=128,
        ),
    )
}


def find_mode(name: str) -> Mode:
    """Return a mode by its name.

    Raises:
        UnknownNameError: There is none of that name; the nearest is named.

    Example:
        >>> find_mode("burst").n_references
        2
    """
    if name not in ALIGNMENT_MODES:
        raise unknown_name("mode", name, ALIGNMENT_MODES)
    return ALIGNMENT_MODES[name]
