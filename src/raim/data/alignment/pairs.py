"""What was made of a scene: its pairs with all their figures, and what was refused."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class MadePair:
    """One pair as it was written; the manifest has a column for each field.

    Attributes:
        name: Stem of its files.
        scene: Its sub-folder of the captures.
        mode: What kind of captures they were.
        scenario: What the manifest calls it.
        input_file: The input's picture.
        reference_files: The reference's pictures, joined by semicolons.
        x: Left edge of the crop in the input, px.
        y: Top edge.
        input_width: px.
        input_height: px.
        width: Of the reference, px.
        height: Of the reference, px.
        input_sha256: Of the input's file.
        reference_sha256: Of the reference's file.
        mask_sha256: Of the mask's file.
        scale_found: Pixels of the reference's picture for each of the input's.
        scale: Pixels of the written reference for each of the input's.
        found_by: What the first alignment came from: "sift" or "phase".
        matches: Matched features.
        inliers: Those that agree with the homography.
        correlation: Of local contrast after alignment.
        displacement_px: Largest displacement beyond the homography, px of the input.
        residual_px: Mean residual over the pair's tiles, px of the input.
        residual_high_px: 95th percentile of the same.
        tiles_measured: Tiles that the residual was measured on.
        tiles: Tiles within the pair.
        tone_gain: Mean slope of the tone curves that the reference went through.
        tone_error: What they leave, in levels of 255.
        blur_px: Deviation of the blur between the two, px of the input.
        freedom_px: Mean over the pixels of how far each could lie elsewhere for all that the texture says, one standard
            deviation, px of the input.
        undetermined_share: Share of the pixels that are masked because that is too far.
        moved_share: Share of the pixels that are masked because something moved.
        saturated_share: Share of the pixels that are masked because they are saturated.
        shots: Shots in the reference.
        reference_noise: Noise of a burst's mean, deviation in levels of 255; None for a single picture.
        seed: Of the random samples of MAGSAC.
    """

    name: str
    scene: str
    mode: str
    scenario: str
    input_file: str
    reference_files: str
    x: int
    y: int
    input_width: int
    input_height: int
    width: int
    height: int
    input_sha256: str
    reference_sha256: str
    mask_sha256: str
    scale_found: float
    scale: float
    found_by: str
    matches: int
    inliers: int
    correlation: float
    displacement_px: float
    residual_px: float
    residual_high_px: float
    tiles_measured: int
    tiles: int
    tone_gain: float
    tone_error: float
    blur_px: float
    freedom_px: float
    undetermined_share: float
    moved_share: float
    saturated_share: float
    shots: int
    reference_noise: float | None
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A scene or a crop that could not be aligned, and why: where, and by how much."""

    scene: str
    name: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeScene:
    """What became of a scene.

    Attributes:
        name: Of the scene.
        fingerprint: Hash of all that its pairs depend on: version, pictures, options.
        pairs: Those that were written.
        refused: The scene, or crops of it.
    """

    name: str
    fingerprint: str
    pairs: tuple[MadePair, ...] = ()
    refused: tuple[Refused, ...] = ()

    @classmethod
    def failed(cls, name: str, reason: str, fingerprint: str = "") -> "MadeScene":
        """Return the record of a scene of which nothing could be made.

        Example:
            >>> MadeScene.failed("wall", "no picture").refused[0].reason
            'no picture'
        """
        refused = Refused(scene=name, name=name, reason=reason)
        return cls(name=name, fingerprint=fingerprint, refused=(refused,))
