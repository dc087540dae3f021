"""The target: the only package that talks to PostgreSQL.

Layer 2. Connection strings go to libpq as the user wrote them and are never kept in anything that is printed. Every
session pins what the server's or the role's settings could change (time zone, date style, search_path …); every
name in SQL comes from `names.quote_name`, every value is a parameter.
"""

from liteferry.target.connecting import MIN_VERSION_NUM, check_server
from liteferry.target.copies import Copies, copy_in_together
from liteferry.target.entries import make_conninfo, make_django_entry
from liteferry.target.loading import LoadTransaction, begin_load, run_load
from liteferry.target.marks import Way, count_rows, explain_refusal, hold_mark, read_way
from liteferry.target.outside import outside_sql
from liteferry.target.readers import SnapshotReader, TransactionReader
from liteferry.target.reporting import reporting
from liteferry.target.session import Target, open_target
from liteferry.target.trials import Outcome, Trial, try_out_all

__all__ = [
    "MIN_VERSION_NUM",
    "Copies",
    "LoadTransaction",
    "Outcome",
    "SnapshotReader",
    "Target",
    "TransactionReader",
    "Trial",
    "Way",
    "begin_load",
    "begin_trial",
    "check_server",
    "copy_in_together",
    "count_rows",
    "explain_refusal",
    "hold_mark",
    "make_conninfo",
    "make_django_entry",
    "open_target",
    "outside_sql",
    "read_way",
    "reporting",
    "run_load",
    "try_out_all",
]
