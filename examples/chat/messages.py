"""The requests and responses of the chat's HTTP interface."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from chassis.web import Page, Text


class Question(BaseModel):
    """What is asked."""

    text: Text = Field(
        min_length=1, max_length=8_000, pattern=r"\S", examples=["How long is the warranty?"], description="Not blank."
    )


class Source(BaseModel):
    """An excerpt of a document; answers cite it by its number in brackets."""

    number: int
    document_id: str = Field(description="Also the id of its file, at /api/files.")
    name: str
    page: int | None
    text: str


class MessageResponse(BaseModel):
    """A question or an answer."""

    id: str
    role: Literal["user", "assistant"]
    text: str
    status: Literal["streaming", "done", "stopped", "cut", "failed", "interrupted"] = Field(
        description="`cut` is an answer whose end never came, `interrupted` one whose process has died."
    )
    error: str | None
    model: str | None
    sources: list[Source]
    created_at: AwareDatetime


class ConversationResponse(BaseModel):
    """A conversation."""

    id: str
    title: str
    created_at: AwareDatetime
    changed_at: AwareDatetime


class ThreadResponse(ConversationResponse):
    """A conversation with its messages."""

    messages: list[MessageResponse]


class ConversationPage(Page[ConversationResponse]):
    """A page of conversations, the last changed first."""


class Begun(BaseModel):
    """The answer that is being written, and the room that receives it as a stream."""

    id: str
    conversation_id: str
    room: str


class ExportResponse(BaseModel):
    """All conversations of the caller."""

    conversations: list[ThreadResponse]


class DocumentResponse(BaseModel):
    """A document, and the job that reads it."""

    id: str = Field(description="Also the id of its file, at /api/files.")
    job_id: str
    name: str
    passages: int
    status: Literal["queued", "running", "ready", "failed", "cancelled", "interrupted"]
    error: str | None
    created_at: AwareDatetime


class DocumentList(BaseModel):
    """The stored documents, in the order in which they were sent."""

    items: list[DocumentResponse]


class DocumentPage(Page[DocumentResponse]):
    """A page of documents, newest first."""
