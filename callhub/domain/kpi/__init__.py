"""How well calls are answered, told from the journal alone.

Rules of this package:
1. A figure depends on journal rows and on what was asked for, never on a clock, a document or the order of incidents.
2. Whoever folds the same rows gets the same report, bit for bit: counts and microseconds are added up, and each
   quotient is made once, at the end.
"""

from callhub.domain.kpi.cases import Asked, Case, CaseBook, Sending
from callhub.domain.kpi.report import Wanted, figures, report

__all__ = ["Asked", "Case", "CaseBook", "Sending", "Wanted", "figures", "report"]
