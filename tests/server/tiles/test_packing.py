import hashlib
import io
import itertools
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image as PillowImage

from raim.errors import ImageError, InputError, StorageError, UnknownNameError
from raim.images import encode_image
from raim.server.storage import open_storage, put_file
from raim.server.tiles import Spot, pack_facts, packing, read_index, read_tile
from raim.server.tiles.pack import TILE_PX
from raim.server.tiles.packing import EIGHT_OF_SIXTEEN, halve_pixels, make_pack
from raim.server.tiles.png import fill_up, list_chunks

RNG = np.random.default_rng(4)


def photo(height, width, seed=0, *, noise=4):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 40
    waves = np.stack([np.sin(x * k + seed) * np.cos(y) for k in (1, 2, 3)], axis=-1)
    return np.clip(128 + 80 * waves + rng.normal(0, noise, waves.shape), 0, 255).astype(np.uint8)


def png(pixels):
    return encode_image(pixels, ".png")


@pytest.fixture
def storage(tmp_path):
    return open_storage(f"file://{tmp_path}/files")


@pytest.fixture
def pack(tmp_path, storage):
    """Make a pack, keep it, and give its name."""

    def make(sources, **options):
        target = tmp_path / "pack"
        make_pack({name: content if isinstance(content, bytes) else png(content) for name, content in sources.items()},
                  target, **options)  # fmt: skip
        content = target.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        put_file(storage, [content], n_bytes=len(content), sha256=sha256)
        return sha256

    return make


def whole(storage, sha256, source, level=0):
    """Put a source's tiles together."""
    sizes = read_index(storage, sha256).group_of(source).levels[level]
    rows = []
    for row in range(sizes.rows):
        tiles = [
            read_tile(storage, sha256, Spot(source=source, level=level, column=column, row=row))
            for column in range(sizes.columns)
        ]
        rows.append(
            np.concatenate([np.asarray(PillowImage.open(io.BytesIO(tile))) for tile in tiles], axis=1)
        )
    return np.concatenate(rows)


@pytest.mark.parametrize("size", [(700, 1100), (1, 1), (513, 1), (512, 512), (1, 1025)], ids=str)
def test_tiles_put_together_are_the_image_itself(pack, storage, size):
    sources = {"input": photo(*size, 1), "e1": photo(*size, 2), "e2": photo(*size, 3)}
    sha256 = pack(sources)
    for name, pixels in sources.items():
        assert (whole(storage, sha256, name) == pixels).all()


def test_each_level_is_the_mean_of_the_one_above_down_to_one_tile(pack, storage):
    pixels = photo(1031, 1500)
    sha256 = pack({"input": pixels, "e1": pixels})
    levels = read_index(storage, sha256).groups[0].levels
    assert [(level.width, level.height) for level in levels] == [(1500, 1031), (750, 516), (375, 258)]
    expected = pixels
    for number in range(1, len(levels)):
        expected = halve_pixels(expected)
        assert (whole(storage, sha256, "e1", number) == expected).all()
    block = pixels[10:12, 20:22].astype(float).mean((0, 1))
    assert np.abs(whole(storage, sha256, "e1", 1)[5, 10] - block).max() <= 0.5


def test_neither_length_nor_metadata_tells_sources_apart(pack, storage):
    size = (600, 900)
    sources = {"input": photo(*size, 1), "e1": photo(*size, 2, noise=0), "e2": photo(*size, 3, noise=30)}
    sha256 = pack(sources, blurred_from="e2")
    group = read_index(storage, sha256).groups[0]
    assert sorted(group.sources) == ["blurred", "e1", "e2", "input"]
    for level, sizes in enumerate(group.levels):
        for column, row in itertools.product(range(sizes.columns), range(sizes.rows)):
            tiles = [
                read_tile(storage, sha256, Spot(source=source, level=level, column=column, row=row))
                for source in group.sources
            ]
            assert len({len(tile) for tile in tiles}) == 1
            for tile in tiles:
                names = {name for name, _ in list_chunks(tile)}
                assert names == {b"IHDR", b"IDAT", b"rpAd", b"IEND"}
                PillowImage.open(io.BytesIO(tile)).verify()  # every CRC


def test_a_photographs_own_metadata_does_not_come_along(pack, storage):
    held = io.BytesIO()
    note = PillowImage.Exif()
    note[0x010E] = "Team Falcon"
    PillowImage.fromarray(photo(64, 64)).save(held, "PNG", exif=note)
    sha256 = pack({"input": photo(64, 64), "e1": held.getvalue()})
    assert b"Falcon" not in read_tile(storage, sha256, Spot(source="e1", level=0, column=0, row=0))


def test_the_blurred_copy_is_blurred_and_of_the_same_size(pack, storage):
    pixels = photo(300, 400, noise=30)
    sha256 = pack({"input": pixels, "e1": pixels}, blurred_from="e1")
    blurred = whole(storage, sha256, "blurred")
    assert blurred.shape == pixels.shape
    assert (
        np.abs(np.diff(blurred.astype(int), axis=1)).mean()
        < np.abs(np.diff(pixels.astype(int), axis=1)).mean() / 3
    )
    assert abs(float(blurred.mean()) - float(pixels.mean())) < 1


def test_the_input_may_have_a_size_of_its_own(pack, storage):
    sources = {"input": photo(200, 300, 1), "e1": photo(800, 1200, 2)}
    sha256 = pack(sources)
    facts = pack_facts(read_index(storage, sha256))
    assert (facts["width"], facts["height"], facts["tile"]) == (1200, 800, TILE_PX)
    assert (facts["input"]["width"], facts["input"]["height"]) == (300, 200)
    assert (whole(storage, sha256, "input") == sources["input"]).all()


def test_sixteen_bits_are_rounded_to_eight_and_grey_becomes_colour(pack, storage):
    deep = RNG.integers(0, 65536, (40, 50, 3), np.uint16)
    grey = RNG.integers(0, 256, (40, 50), np.uint8)
    sha256 = pack({"input": photo(40, 50), "e1": deep, "e2": grey})
    assert (whole(storage, sha256, "e1") == np.rint(deep / 257)).all()
    assert (np.rint(np.arange(2**16) / 257) == EIGHT_OF_SIXTEEN).all()
    assert (whole(storage, sha256, "e2") == grey[..., None]).all()


def test_the_same_sources_give_the_same_pack(pack):
    sources = {"input": photo(600, 700, 1), "e1": photo(600, 700, 2)}
    assert pack(sources, blurred_from="e1") == pack(dict(reversed(sources.items())), blurred_from="e1")


def test_entries_of_different_sizes_are_refused_by_name(pack):
    with pytest.raises(InputError, match="e2 is 41x40, e1 50x40"):
        pack({"input": photo(40, 50), "e1": photo(40, 50), "e2": photo(40, 41)})


def test_a_source_that_is_no_image_is_named(pack):
    with pytest.raises(ImageError, match="e1: "):
        pack({"input": photo(40, 50), "e1": b"\x89PNG\r\n\x1a\nnothing"})


@pytest.mark.parametrize("missing", ["input", "e1"])
def test_a_pack_needs_an_input_and_an_entry(pack, missing):
    sources = {"input": photo(9, 9), "e1": photo(9, 9)}
    del sources[missing]
    with pytest.raises(InputError, match="needs the input and at least one entry"):
        pack(sources)


BAD_SPOTS = {
    "source": {"source": "e9"},
    "level": {"level": 5},
    "negative level": {"level": -1},
    "column": {"column": 2},
    "negative row": {"row": -1},
}


@pytest.mark.parametrize("name", BAD_SPOTS)
def test_a_tile_that_is_not_there_is_unknown(pack, storage, name):
    sha256 = pack({"input": photo(600, 700), "e1": photo(600, 700)})
    with pytest.raises(UnknownNameError, match="no such tile"):
        read_tile(
            storage, sha256, Spot(**{"source": "e1", "level": 0, "column": 0, "row": 0, **BAD_SPOTS[name]})
        )


def test_a_spoiled_pack_is_an_error_of_the_storage(pack, storage):
    sha256 = pack({"input": photo(600, 700), "e1": photo(600, 700)})
    content = b"".join(open_file(storage, sha256))
    for spoiled in (
        b"",
        b"RAIMPACK",
        content[:9],
        b"X" + content[1:],
        content[:40],
        content[:14] + b"x" * 50,
        content.replace(b'"tile":512', b'"tile":000', 1),
        content.replace(b'"tile":512', b'"tile":0  ', 1),
        content.replace(b'"width":700', b'"width":7e9', 1),
    ):
        name = hashlib.sha256(spoiled).hexdigest()
        put_file(storage, [spoiled], n_bytes=len(spoiled), sha256=name)
        with pytest.raises(StorageError, match="makes the tiles again"):
            read_tile(storage, name, Spot(source="e1", level=0, column=0, row=0))
    short = content[:-10]
    name = hashlib.sha256(short).hexdigest()
    put_file(storage, [short], n_bytes=len(short), sha256=name)
    with pytest.raises(StorageError, match="ends early"):
        read_tile(storage, name, Spot(source="input", level=1, column=0, row=0))
    moved = content[:-2000] + b"?" + content[-2000:]
    name = hashlib.sha256(moved).hexdigest()
    put_file(storage, [moved], n_bytes=len(moved), sha256=name)
    with pytest.raises(StorageError, match="no PNG at byte"):
        read_tile(storage, name, Spot(source="input", level=1, column=0, row=0))
    with pytest.raises(StorageError, match="there is no file"):
        read_index(storage, "0" * 64)


def open_file(storage, sha256):
    from raim.server.storage import read_stored_file

    return read_stored_file(storage, sha256)


def test_the_filler_of_a_tile_tells_nothing_that_its_pixels_do_not(pack, storage):
    """Who looks into a tile finds how long it was; whoever has its pixels can make that length again."""
    pixels = photo(300, 400, 7)
    other = io.BytesIO()
    PillowImage.fromarray(pixels).save(
        other, "PNG", compress_level=1
    )  # the file says who wrote it, the tile not
    sha256 = pack(
        {"input": photo(300, 400), "e1": png(pixels), "e2": other.getvalue(), "e3": photo(300, 400, 8)}
    )
    tiles = {
        name: read_tile(storage, sha256, Spot(source=name, level=0, column=0, row=0))
        for name in ("e1", "e2", "e3")
    }
    assert len({len(tile) for tile in tiles.values()}) == 1
    assert tiles["e1"] == tiles["e2"]
    for tile in tiles.values():
        shown = np.asarray(PillowImage.open(io.BytesIO(tile)))
        assert fill_up(packing._encode(shown), len(tile)) == tile


def test_a_pack_is_read_from_any_storage(pack, storage):
    sha256 = pack({"input": photo(600, 700), "e1": photo(600, 700, 5)})
    elsewhere = open_storage("memory://tiles")
    content = b"".join(open_file(storage, sha256))
    put_file(elsewhere, [content], n_bytes=len(content), sha256=sha256)
    spot = Spot(source="e1", level=0, column=1, row=1)
    assert read_tile(elsewhere, sha256, spot) == read_tile(storage, sha256, spot)


def test_a_source_may_be_a_file(tmp_path):
    contents = {name: png(photo(90, 70, seed)) for seed, name in enumerate(("input", "e1", "e2"))}
    files = {name: tmp_path / f"{name}.png" for name in contents}
    for name, path in files.items():
        path.write_bytes(contents[name])
    make_pack(contents, tmp_path / "one")
    make_pack(files, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_reading_tiles_loads_no_library_of_images():
    code = (
        "import sys, raim.server.tiles; "
        "print(sorted({'numpy', 'pyvips', 'PIL', 'imagecodecs', 'raim.images'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
