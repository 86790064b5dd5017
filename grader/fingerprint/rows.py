"""The 128-bit hash of a row, as DuckDB SQL.

A half of it is mixed in three steps, each with numbers of its own (`_salt`), so that neither half says anything about
the other:

1. Each word is combined with the number of its column, kind and half, and mixed (DuckDB's `hash` of 64 bits, which maps
   different numbers to different ones). The number goes in before the mixing: added after it, values swapped between
   columns would cancel.
2. The mixed words of a row are combined by exclusive or. A word that is NULL counts zero.
3. That is combined with one more number and mixed, so that a sum over rows does not fall apart into sums over columns.

DuckDB's hash of a text is weak by itself: texts that differ only in the last of every eight bytes have at most 256
hashes. So each half takes a text twice, shifted by four bytes, and the other half shifted by two bytes more: what falls
on a weak byte once falls on strong ones in the other three.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from grader.fingerprint.canonical import VERSION, identifier
from grader.fingerprint.words import Word, words

Half = Literal["low", "high"]
_PADDING: dict[Half, tuple[str, str]] = {"low": ("", "batc"), "high": ("hl", "abhash")}


@dataclass(frozen=True, kw_only=True)
class RowHash:
    """SQL expressions of the two halves of a row's hash, UBIGINT each."""

    low: str
    high: str

    @property
    def whole(self) -> str:
        """Both halves as one UHUGEINT."""
        high, low = (f"CAST({half} AS UHUGEINT)" for half in (self.high, self.low))
        return f"({high} * CAST({1 << 64} AS UHUGEINT) + {low})"


def row_hash(columns: Sequence[tuple[str, Any]]) -> RowHash:
    """Build the SQL of a row's hash.

    Args:
        columns: name and DuckDB type of each column, in any order.

    Raises:
        BadInput: a column has a type that has no fingerprint.
    """
    found = [(name, word) for name, kind in columns for word in words(identifier(name), kind)]
    return RowHash(low=_half(found, "low"), high=_half(found, "high"))


def _half(found: Sequence[tuple[str, Word]], half: Half) -> str:
    terms = [_salt(half)]
    for name, word in found:
        salt = _salt(half, name, word.kind)
        if word.text:
            terms += [f"hash(xor({_text(word, half)}, {salt}))", f"hash({salt})"]
        else:
            terms.append(f"hash(xor({word.value}, {salt}))")
    if sum(not word.text for _, word in found) % 2:
        terms.append("hash(CAST(NULL AS BIGINT))")
    return f"hash({_combined(terms)})"


def _text(word: Word, half: Half) -> str:
    """Two hashes of a text; of NULL they are the same, and cancel: 0, whose term is taken off by `hash(salt)`."""
    once, again = (_padded(word, padding) for padding in _PADDING[half])
    return f"xor(hash({once}), hash({again}))"


def _padded(word: Word, padding: str) -> str:
    if not padding:
        return word.value
    return f"CAST('{padding}' AS {'BLOB' if word.kind == 'x' else 'VARCHAR'}) || {word.value}"


def _combined(terms: Sequence[str]) -> str:
    """Exclusive or of the terms, as a flat tree: a chain over many columns would be too deep."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return f"xor({_combined(terms[:middle])}, {_combined(terms[middle:])})"


def _salt(half: Half, *of: str) -> str:
    """A number below 2^63, so that it fits words with and without a sign."""
    text = "\n".join((str(VERSION), half, *(f"{len(part)}:{part}" for part in of)))
    return str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1)
