"""F5. Ten thousand hostile payloads, and what the slowest of them cost."""

from __future__ import annotations

import pytest

from tests.fuzzing import answers, envelopes, programs, protocol
from tests.long.measured import write_section
from tests.test_fuzzed_payloads import AT_MOST

pytestmark = pytest.mark.long


def test_it_decodes_ten_thousand_hostile_payloads_without_a_crash() -> None:
    opened, carried, decoded, readings = envelopes(2000), programs(2000), answers(4000), protocol(2000)
    slowest = max(opened.slowest, carried.slowest, decoded.slowest, readings.slowest)
    assert slowest <= AT_MOST
    write_section(
        "fuzzed-payloads",
        "Ten thousand hostile payloads",
        "Honest return data, damaged in one to three of fourteen ways, through the decoders of envelopes, through that"
        " of every type that is read, and through the whole Aave v3 reader. Any error but one of ours would have ended"
        " it.",
        {
            "envelopes of Multicall3 refused, taken": f"{opened.refused:,}, {opened.taken:,}",
            "envelopes of our own program refused, taken": f"{carried.refused:,}, {carried.taken:,}",
            "answers refused, taken": f"{decoded.refused:,}, {decoded.taken:,}",
            "spoilt answers to a reader; its positions read (of which told as a mismatch), unreadable": (
                f"{readings.spoilt:,}; {readings.read:,} ({readings.mismatched:,}), {readings.unreadable:,}"
            ),
            "crashes": 0,
            "slowest payload, of processor time": f"{slowest * 1000:.1f} ms (at most {AT_MOST * 1000:.0f} ms)",
        },
    )
