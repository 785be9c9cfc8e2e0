"""Compile the GPU's kernels for an architecture, without having one: compile_triton.py 90"""

import sys

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from zipo.engine.triton_kernels import launch, likelihood

TYPES = {"starts": "*i64", "columns": "*i32", "genes": "i32", "blocks": "i32", "length": "i32"}


def machine_code(kernel, constants: dict, **types: str) -> bytes:
    """A kernel for the architecture, by the types that a batch has."""
    signature = {
        name: "constexpr" if name in constants else types.get(name) or TYPES.get(name) or type_of(name)
        for name in kernel.arg_names
    }
    source = ASTSource(kernel, signature, constexprs=constants)
    return triton.compile(source, target=GPUTarget("cuda", int(sys.argv[1]), 32)).asm["cubin"]


def type_of(name: str) -> str:
    return "fp32" if name.startswith("on_") else "*fp32"


SWITCHES = "INFLATED", "OVERDISPERSED", "SHARED", "BY_RATE", "LEARN"
CASES = [
    dict(zip(SWITCHES, case, strict=True))
    for case in [
        (True, True, False, True, True),  # ZINB
        (True, True, True, False, True),  # with a gene's dispersion
        (False, True, False, False, True),  # NB with that of each entry
        (True, False, False, True, True),  # ZIP
        (False, False, False, True, True),  # Poisson
        (True, True, False, True, False),  # ZINB in validation
    ]
]


def main() -> None:
    code = []
    for blocks in ({"BLOCKS": 32}, {"BLOCKS": 1, "blocks": 1}):  # Triton makes a constant of an argument that is 1
        sizes = {"BLOCK": launch.BLOCK} | blocks
        for options in CASES if len(blocks) == 1 else CASES[:1]:
            code.append(machine_code(likelihood.score_as_zeros, options | sizes))
            code.append(machine_code(likelihood.correct_positive, options | {"ENTRIES": launch.ENTRIES} | blocks))
        code.append(machine_code(likelihood.through_softmax, sizes))
        first = {name: size for name, size in sizes.items() if name != "BLOCKS"}
        code.append(machine_code(likelihood.block_exponentials, first))
    code.append(machine_code(likelihood.weigh, {}, totals="*fp64"))
    code.append(machine_code(likelihood.scale, {"BLOCK": launch.BLOCK}))
    assert all(code)
    print(len(code), "kernels,", sum(map(len, code)), "bytes")


if __name__ == "__main__":
    main()
