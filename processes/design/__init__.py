"""What designers need before a change goes live: an assessment of the draft, and who has to sign."""

from processes.design.assessment import Assessment, assess, assessment_of
from processes.design.weight import touched

__all__ = ["Assessment", "assess", "assessment_of", "touched"]
