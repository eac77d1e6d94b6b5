"""What an image is, reading it safely and writing it whole."""

from raim.images.info import MAX_PIXELS, ImageInfo, inspect_image
from raim.images.reading import Picture, read_image
from raim.images.writing import encode_image, write_image

__all__ = [
    "MAX_PIXELS",
    "ImageInfo",
    "Picture",
    "encode_image",
    "inspect_image",
    "read_image",
    "write_image",
]
