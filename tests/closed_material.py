"""A closed challenge for tests of its report: the teams of the NTIRE 2024 RAIM report's Table 1, made-up votes."""

from datetime import UTC, datetime, timedelta

import numpy as np

from raim.challenge import Award, Entrant, rank_teams
from raim.report.closed.material import Material, PhaseMaterial, Submitted, TeamMaterial
from raim.study import Turnout
from raim.study.findings import (
    Analysis,
    Components,
    Concordance,
    EntryPoints,
    Estimate,
    Flag,
    JudgedEntry,
    JudgeResult,
    PartPoints,
    RankEstimate,
)

# Table 1 of arXiv 2405.09923: PSNR, SSIM, LPIPS, DISTS, NIQE are not repeated here; S2, S3 -> final, rank.
TABLE_1 = {
    "MiAlgo": (79.13, 57, 91.65, 1),
    "Xhs-IAG": (81.96, 47, 82.07, 2),
    "So Elegant": (79.69, 46, 80.09, 3),
    "IIP_IR": (80.03, 14, 45.94, 4),
    "DACLIP-IR": (78.65, 9, 40.03, 5),
    "TongJi-IPOE": (72.99, 11, 39.91, 6),
    "ImagePhoneix": (78.93, 4, 34.79, 7),
    "HIT-IIL": (69.80, 1, 27.92, 8),
}
AWARDS = (
    Award(id="first", name="First-class award"),
    Award(id="second", name="Second-class award", places=2),
    Award(id="third", name="Third-class award", places=3),
)
SCENARIOS = ("denoising", "super-resolution", "out-of-focus", "motion blur")
ISSUES = ("smoothed details", "text strokes", "fringes", "colour noise", "moire")
CRITERIA = ("textures and details", "noise", "artifacts", "fidelity")
START = datetime(2024, 2, 1, 9, tzinfo=UTC)
HOSTILE = r"50% & <b>_#\{x}~^$\input{/etc/passwd}</script>"


def make_material(*, is_simulated=True, names=None, left_out=False):
    """Give everything that a report can hold; `names` replaces team names."""
    rng = np.random.default_rng(5)
    new = names or {}
    table = {new.get(team, team): row for team, row in TABLE_1.items()}
    entrants = [
        Entrant(team=team, score=s2, points=float(s3), left_out="") for team, (s2, s3, _, _) in table.items()
    ]
    if left_out:
        entrants.append(Entrant(team="Gone", score=75.0, points=60.0, left_out="no code was sent"))
    ranking = rank_teams(entrants, awards=AWARDS)
    return Material(
        title="RAIM in the wild, a test",
        tagline="Restore any image",
        organisers=("A. Organiser (A University)",),
        created_at=datetime(2024, 4, 1, 12, tzinfo=UTC),
        raim_version="1.2.3",
        is_simulated=is_simulated,
        profile="raim-2024",
        phases=(
            PhaseMaterial(name="Online feedback", opens=START, closes=START + timedelta(days=30)),
            PhaseMaterial(name="Final", opens=START + timedelta(days=30), closes=START + timedelta(days=37)),
        ),
        participation={"teams that registered": 203, "teams that submitted": 39, "submissions": 412},
        teams=tuple(_team(row.team, row.score, rng) for row in (*ranking.rows, *ranking.left_out)),
        ranking=ranking,
        analysis=make_analysis(ranking, rng),
        timeline=_timeline(table, rng),
        awards=AWARDS,
        prizes=("A camera, given by A Sponsor, for the champion.",),
    )


def _team(team, score, rng):
    measures = {"psnr": 27.0, "ssim": 0.78, "lpips": 0.21, "dists": 0.12, "niqe": 4.1}
    return TeamMaterial(
        team=team,
        score=score,
        measures={key: value * float(rng.uniform(0.95, 1.05)) for key, value in measures.items()},
        scenarios={
            name: {"score": float(score + rng.normal(0, 3)), "psnr": float(27 + rng.normal())}
            for name in SCENARIOS
        },
        fact_sheet={
            "Method": f"The network of {team}: U-Net with 100 % attention & care.",
            "Extra data": "no",
        },
        n_submissions=12,
    )


def _timeline(table, rng):
    found = []
    for team, (s2, *_) in table.items():
        days = np.sort(rng.uniform(0, 30, 9))
        reached = s2 - 14 * np.exp(-days / 8) - rng.exponential(1.0, 9)
        found += [
            Submitted(at=START + timedelta(days=float(day)), team=team, score=float(score))
            for day, score in zip(days, reached, strict=True)
        ]
    return tuple(sorted(found, key=lambda each: each.at))


def make_analysis(ranking, rng, *, unit="points"):
    """Give the records of an analysis; their numbers are plausible, not computed."""
    rows = (*ranking.rows, *ranking.left_out)
    n_ranks = len(ranking.ranked)
    entries = tuple(_entry(row, n_ranks, rng) for row in rows)
    flags = (
        Flag(code="J17", kind="agreement", words="rank correlation -0.21 with the others, below 0.3"),
        Flag(code="J18", kind="trap", words="picked the blurred copy in 1 of 2 traps"),
    )
    return Analysis(
        mode="top-three",
        unit=unit,
        point_values=(3, 2, 1),
        n_images=50,
        seed=2024,
        n_draws=2000,
        turnout=Turnout(n_judges=18, absent=(), n_expected=900, n_votes=899, n_partial=3),
        entries=entries,
        without_flagged=tuple(entries),
        issues=tuple(_part(name, 10, rows, rng) for name in ISSUES),
        criteria=tuple(_part(name, 50, rows, rng, n_reasons=700) for name in CRITERIA),
        judges=tuple(_judge(number, flags, rng) for number in range(1, 19)),
        flags=flags,
        concordance=Concordance(w=0.71, chi_squared=89.5, degrees=7, p=1.5e-16, n_judges=18),
        alpha=Estimate(value=0.43, low=0.37, high=0.49),
        components=Components(judge=0.02, image=0.11, interaction=0.74),
        notes=("3 ballots are partial.",),
        names={},
    )


def _entry(row, n_ranks, rng):
    points = row.points
    rank = row.rank
    weights = np.exp(-0.8 * (np.arange(1, n_ranks + 1) - (rank or n_ranks)) ** 2)
    shares = tuple((weights / weights.sum()).tolist()) if rank else ()
    ranked = RankEstimate(
        value=rank,
        low=max(1, rank - 1) if rank else None,
        high=min(n_ranks, rank + 1) if rank else None,
        shares=shares,
    )
    final = row.final
    return JudgedEntry(
        entry=row.team,
        is_left_out=rank is None,
        n_exposures=900,
        picks=(int(points * 8), int(points * 5), int(points * 3)),
        points=Estimate(value=points, low=points * 0.9, high=points * 1.08 + 1),
        crossed=Estimate(value=points, low=points * 0.88, high=points * 1.1 + 1),
        strength=Estimate(
            value=float(np.log(points)) - 2, low=float(np.log(points)) - 2.2, high=float(np.log(points)) - 1.8
        ),
        normalised=Estimate(value=row.normalised),
        final=Estimate(
            value=final, low=None if final is None else final - 3, high=None if final is None else final + 2.5
        ),
        points_rank=ranked,
        final_rank=ranked,
    )


def _part(name, n_images, rows, rng, *, n_reasons=0):
    share = n_images / 50
    points = [float(row.points * share * rng.uniform(0.6, 1.4)) for row in rows]
    return PartPoints(
        name=name,
        n_images=n_images,
        n_reasons=n_reasons,
        entries=tuple(
            EntryPoints(
                entry=row.team,
                points=Estimate(value=value, low=value * 0.8, high=value * 1.2),
                rank=RankEstimate(value=place + 1),
            )
            for place, (row, value) in enumerate(zip(rows, points, strict=True))
        ),
    )


def _judge(number, flags, rng):
    code = f"J{number:02d}"
    own = tuple(flag for flag in flags if flag.code == code)
    return JudgeResult(
        code=code,
        n_votes=50,
        n_expected=50,
        n_partial=0,
        median_seconds=float(rng.uniform(15, 40)),
        n_repeats=3,
        same_first=2 / 3,
        overlap=7 / 9,
        repeat_correlation=0.6,
        n_traps=2,
        n_trapped=1 if code == "J18" else 0,
        agreement=-0.21 if code == "J17" else float(rng.uniform(0.5, 0.98)),
        likelihood=float(rng.uniform(4, 9)),
        flags=own,
    )
