"""What an image is, reading and writing: PNG, JPEG, TIFF and WebP, checked before anything is decoded."""

from raim.images.picture import MAX_PIXELS, ImageInfo, Picture, PixelArray, Purpose, ReadImage
from raim.images.reading import inspect_image, read_image
from raim.images.writing import encode_image, write_image

__all__ = [
    "MAX_PIXELS",
    "ImageInfo",
    "Picture",
    "PixelArray",
    "Purpose",
    "ReadImage",
    "encode_image",
    "inspect_image",
    "read_image",
    "write_image",
]
