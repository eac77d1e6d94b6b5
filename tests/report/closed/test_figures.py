from dataclasses import replace

import numpy as np
import pytest

from raim.challenge import Entrant, rank_teams
from raim.images import encode_image, read_image
from raim.report.closed.figures import draw_figure, find_crop, write_figures
from raim.report.closed.material import ImageMaterial, Material, PictureSource
from raim.report.crop import Crop

pytest.importorskip("matplotlib", reason="the extra `report` is not installed")
LONG = "<b>Ünïcode</b>/\u202eевиль " * 8
TEAMS = ("Alpha", LONG, "Gamma")


def photo(seed, height=120, width=160):
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(30, 220, (height // 8, width // 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)


def material(*, missing=(), is_simulated=False, shapes=None):
    inputs = {"1": photo(1), "2": photo(2), "3": photo(3)}
    issues = {"1": "moire", "2": "moire", "3": "noise"}

    def read_restored(team, name):
        if (team, name) in missing:
            return None
        pixels = inputs[name].copy()
        place = TEAMS.index(team)
        if name != "1":
            pixels[40:72, 80:112] = 60 * place
        if shapes and team in shapes:
            pixels = shapes[team](pixels)
        return encode_image(pixels, ".png")

    ranking = rank_teams([Entrant(team=team, score=80.0 - k, points=9.0 - k) for k, team in enumerate(TEAMS)])
    pictures = PictureSource(
        images=tuple(ImageMaterial(name=name, issue=issue) for name, issue in issues.items()),
        read_input=lambda name: encode_image(inputs[name], ".png"),
        read_restored=read_restored,
    )
    return Material(title="A", ranking=ranking, pictures=pictures, is_simulated=is_simulated)


def test_the_crop_is_where_the_teams_differ_most():
    images = [photo(2) for _ in range(3)]
    for level, pixels in enumerate(images):
        pixels[40:72, 80:112] = 80 * level
    assert find_crop(images, side_px=32) == Crop(x=80, y=40, width=32, height=32)


def test_large_images_are_looked_at_on_a_copy():
    large = np.zeros((2100, 3000, 3), np.uint8)
    other = large.copy()
    other[1500:1596, 2400:2496] = 255
    found = find_crop([large, other], side_px=96)
    assert abs(found.x - 2400) <= 3
    assert abs(found.y - 1500) <= 3


def test_images_smaller_than_the_crop_are_taken_whole():
    assert find_crop([photo(1, 16, 24)], side_px=96) == Crop(x=0, y=0, width=16, height=16)


def test_one_figure_an_issue_shows_the_photograph_where_teams_differ_most(tmp_path):
    written = write_figures(material(), tmp_path, {})
    assert [each.image for each in written] == ["2", "3"]
    assert [each.caption for each in written] == ["Moire: 2", "Noise: 3"]
    for each in written:
        assert each.png.read_bytes().startswith(b"\x89PNG")
        assert each.pdf.read_bytes().startswith(b"%PDF")


def test_the_crop_of_every_team_stands_in_the_figure_pixel_by_pixel():
    made = material()
    figure = draw_figure(made, "2", {}, crop=Crop(x=80, y=40, width=32, height=32))
    for team in TEAMS:
        pixels = read_image(made.pictures.read_restored(team, "2")).pixels[40:72, 80:112]
        enlarged = np.repeat(np.repeat(pixels, 9, 0), 9, 1)
        assert contains(figure, enlarged), team


def contains(page, part):
    height, width = part.shape[:2]
    places = np.argwhere((page[: -height + 1, : -width + 1] == part[0, 0]).all(2))
    return any((page[y : y + height, x : x + width] == part).all() for y, x in places)


def test_a_missing_image_is_said_and_no_error():
    figure = draw_figure(material(missing={("Gamma", "2")}), "2", {})
    assert (figure == 128).all(2).sum() > 10_000
    everybody = {(team, "2") for team in TEAMS}
    assert draw_figure(material(missing=everybody), "2", {}) is None


def test_a_leading_team_of_another_size_does_not_hide_the_others():
    made = material(shapes={"Alpha": lambda pixels: np.ascontiguousarray(pixels[:50])})
    figure = draw_figure(made, "2", {}, crop=Crop(x=80, y=40, width=32, height=32))
    pixels = read_image(made.pictures.read_restored("Gamma", "2")).pixels[40:72, 80:112]
    assert contains(figure, np.repeat(np.repeat(pixels, 9, 0), 9, 1))


def test_a_team_called_input_does_not_take_the_place_of_the_input():
    made = material()
    ranking = rank_teams([Entrant(team="Input", score=1.0, points=1.0)])
    other = encode_image(photo(9), ".png")
    pictures = replace(made.pictures, read_restored=lambda _team, _name: other)
    crop = Crop(x=80, y=40, width=32, height=32)
    figure = draw_figure(replace(made, ranking=ranking, pictures=pictures), "2", {}, crop=crop)
    for seed in (2, 9):
        tile = photo(seed)[40:72, 80:112]
        assert contains(figure, np.repeat(np.repeat(tile, 9, 0), 9, 1)), seed


def test_pictures_that_cannot_be_read_are_named_and_the_other_figures_are_made(tmp_path):
    made = material()
    read_input, read_restored = made.pictures.read_input, made.pictures.read_restored

    def read_some(team, name):
        content = read_restored(team, name)
        return content[:200] if (team, name) == ("Gamma", "3") else content

    pictures = replace(
        made.pictures,
        read_input=lambda name: b"no image" if name == "2" else read_input(name),
        read_restored=read_some,
    )
    failures = {}
    written = write_figures(replace(made, pictures=pictures), tmp_path, failures)
    assert [each.image for each in written] == ["3"]
    assert sorted(failures) == ["3 of Gamma", "the input of 2"]


def test_simulated_votes_take_a_line_of_their_own():
    plain, said = draw_figure(material(), "2", {}), draw_figure(material(is_simulated=True), "2", {})
    assert said.shape[0] > plain.shape[0]


def test_grey_sixteen_bit_and_other_sizes_are_shown_or_said_to_be_missing():
    shapes = {
        "Alpha": lambda pixels: pixels.astype(np.uint16) * 257,
        LONG: lambda pixels: np.ascontiguousarray(pixels[..., 0]),
        "Gamma": lambda pixels: np.ascontiguousarray(pixels[:50]),
    }
    assert draw_figure(material(shapes=shapes), "2", {}).ndim == 3


def test_without_pictures_there_are_no_figures(tmp_path):
    ranking = rank_teams([Entrant(team="a", score=1.0, points=1.0)])
    assert write_figures(Material(title="A", ranking=ranking), tmp_path, {}) == ()


def test_the_same_material_gives_the_same_bytes(tmp_path):
    first, second = (write_figures(material(), tmp_path / name, {}, images=["2"])[0] for name in "ab")
    assert first.png.read_bytes() == second.png.read_bytes()
    assert first.pdf.read_bytes() == second.pdf.read_bytes()
