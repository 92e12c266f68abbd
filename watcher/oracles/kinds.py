"""The kinds of price sources that we can see through, the most telling first. To add one: its file, and a line here."""

from __future__ import annotations

from typing import Final

from watcher.oracles import (
    api3,
    capo,
    chainlink,
    chronicle,
    comet,
    discounted,
    fixed,
    liquity,
    maker,
    moonwell,
    morpho,
    pyth,
    redstone,
    spark,
    synchronicity,
)
from watcher.oracles.shape import Kind

KINDS: Final[tuple[Kind, ...]] = (
    chainlink.PROXY,
    redstone.FEED,
    pyth.WRAPPER,
    api3.READER,
    maker.CAPPED,
    maker.OSM,
    chronicle.SCRIBE,
    chronicle.MEDIAN,
    capo.EURO,
    capo.RATIO,
    capo.STABLE,
    discounted.PRINCIPAL,
    discounted.SET,
    discounted.FIXED,
    *synchronicity.KINDS,
    *spark.KINDS,
    *comet.KINDS,
    *morpho.KINDS,
    *liquity.KINDS,
    moonwell.COMPOSITE,
    moonwell.HELD_BACK,
    moonwell.BOUNDED,
    *fixed.KINDS,  # by the fewest getters, so after all others
)
