"""The proof: every value of every row by typed comparison, table by table.

Layer 3, and independent of the load: it reads what SQLite stores and the text that PostgreSQL renders, and shares no
code with the encoders. Two methods:

* *merge by primary key*: both sides in the key's order, walked side by side. It trusts no order: each side is checked
  to be strictly increasing, and where it is not (storage classes mixed in one column, a UTF-16 file, duplicates) the
  other method takes over.
* *multiset*: both sides in any order, by the digests of their rows. Only when the tables' digests differ are the rows
  sought (`liteferry.proof.multiset`).

Either gives both sides' digests and names each value, lost row and extra row exactly. `liteferry.proof.objects`
compares everything else, `liteferry.proof.behaviour` what the translated objects do.
"""

from liteferry.proof.behaviour import verify_behaviour
from liteferry.proof.compiled import reads_spans
from liteferry.proof.definitions import compare_catalogs, name_trait
from liteferry.proof.duplicates import compare_columns, try_keys
from liteferry.proof.objects import verify_objects
from liteferry.proof.parts import compare_counts, compare_parts
from liteferry.proof.probe import probe_translations
from liteferry.proof.rows import ProofSource, ProofTarget
from liteferry.proof.tables import TableProof, digest_source, digest_target, foresee_reads, verify_table

__all__ = [
    "ProofSource",
    "ProofTarget",
    "TableProof",
    "compare_catalogs",
    "compare_columns",
    "compare_counts",
    "compare_parts",
    "digest_source",
    "digest_target",
    "foresee_reads",
    "name_trait",
    "probe_translations",
    "reads_spans",
    "try_keys",
    "verify_behaviour",
    "verify_objects",
    "verify_table",
]
