"""What people write about the service."""

from pydantic import Field

from chassis.settings.section import Section


class FeedbackSettings(Section):
    """Feedback"""

    feedback: bool = Field(False, description="Show a form for feedback on pages that include it, and offer its API.")
    retention_feedback_days: float = Field(180, ge=0, description="How long feedback is kept; 0 keeps it forever.")
