"""What an EXIF block says of the pixels, and how it is made true of others. Oracle: Pillow."""

import io
import struct

import pytest
from PIL import Image

from raim.images import encode_image, read_image
from raim.images.exif import find_orientation, set_pixels, set_upright, strip_prefix


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_found_in_both_byte_orders_and_set_upright(forge, orientation, order):
    block = forge.exif(orientation, order)
    assert find_orientation(block) == orientation
    assert set_upright(block) == forge.exif(1, order)


def test_pillow_reads_the_same_from_what_was_set_upright():
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera's maker", 8
    block = strip_prefix(exif.tobytes())
    after = Image.Exif()
    after.load(set_upright(block))
    assert dict(after) == {0x010F: "a camera's maker", 0x0112: 1}


@pytest.mark.parametrize("block", [None, b"", b"II*\0", b"nonsense" * 10, b"II*\0\xff\xff\xff\x7f"])
def test_without_a_readable_block_the_image_is_upright(block):
    assert find_orientation(block) == 1
    assert set_upright(block) == block


@pytest.mark.parametrize("change", [{"orientation": 0}, {"orientation": 9}, {"count": 2}, {"kind": 5}])
def test_an_orientation_that_does_not_exist_counts_as_none(forge, change):
    assert find_orientation(forge.exif(**change)) == 1


def of_a_camera(order, thumbnail, *, kind=3, behind=b""):
    """EXIF as cameras write it: size, a maker's note that points into the block, a thumbnail in a second directory."""

    def directory(offset, entries, following=0):
        table = struct.pack(order + "H", len(entries))
        for tag, type_, count, value in entries:
            content = struct.pack(order + ("I" if type_ != 3 else "H"), value).ljust(4, b"\0")
            table += struct.pack(order + "HHI", tag, type_, count) + content
        assert offset % 2 == 0
        return table + struct.pack(order + "I", following)

    first, own, second, note = 8, 8 + 42, 8 + 42 + 42, 8 + 42 + 42 + 30
    block = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", first)
    block += directory(first, [(0x0100, kind, 1, 50), (0x0112, 3, 1, 1), (0x8769, 4, 1, own)], second)
    block += directory(own, [(0x927C, 7, 8, note), (0xA002, kind, 1, 50), (0xA003, kind, 1, 40)])
    block += directory(second, [(0x0201, 4, 1, note + 8), (0x0202, 4, 1, len(thumbnail))])
    return block + struct.pack(order + "II", note, note) + thumbnail + behind


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("behind", [b"", b"a maker's own data"])
def test_size_becomes_true_and_the_thumbnail_goes_while_all_else_stays_in_its_place(
    forge, order, kind, behind
):
    thumbnail = forge.pillow("JPEG", forge.rgb[:8, :8])
    block = of_a_camera(order, thumbnail, kind=kind, behind=behind)
    changed = set_pixels(block, 70_000, 5)
    read = Image.Exif()
    read.load(changed)
    own = read.get_ifd(0x8769)
    assert (own[0xA002], own[0xA003], read[0x0100]) == (70_000, 5, 70_000)
    assert read.get_ifd(1) == {}
    assert b"\xff\xd8" not in changed
    assert changed.endswith(behind)
    note = block.index(struct.pack(order + "II", 122, 122))
    assert changed[note : note + 8] == block[note : note + 8]
    assert own[0x927C] == block[note : note + 8]


@pytest.mark.parametrize(
    ("place", "value"), [(46, 0xFFFFFFFF), (46, 8), (46, 3), (110, 0xFFFFFFF0), (122 - 14, 0)], ids=str
)
def test_a_thumbnail_that_is_not_there_takes_nothing_else_with_it(forge, place, value):
    block = bytearray(of_a_camera("<", forge.pillow("JPEG", forge.rgb[:8, :8]), kind=4))
    struct.pack_into("<I", block, place, value)
    changed = set_pixels(bytes(block), 50, 40)
    assert changed[:46] == block[:46]  # all of the first directory but its pointer
    assert changed[50:92] == block[50:92]  # all of its own directory
    assert len(changed) <= len(block)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_a_restored_file_shows_no_old_thumbnail_in_any_format(forge, suffix):
    block = of_a_camera("<", forge.pillow("JPEG", forge.rgb[:8, :8]))
    picture = read_image(encode_image(forge.rgb, ".jpg", exif=block), purpose="restore")
    content = encode_image(picture.pixels.repeat(2, axis=0), suffix, exif=picture.exif)
    with Image.open(io.BytesIO(content)) as image:
        exif = image.getexif()
    own = exif.get_ifd(0x8769)
    assert (own[0xA002], own[0xA003]) == (50, 80)
    assert exif.get_ifd(1) == {}
