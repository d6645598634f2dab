"""Paged lists: the query parameters, and the response."""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

T = TypeVar("T")


class Paging(BaseModel):
    """The query parameters of a list that comes in pages."""

    page: int = Field(1, ge=1, le=1_000_000, description="Page number, starting at 1.")
    per_page: int = Field(20, ge=1, le=100, description="Items per page.")


class Page(BaseModel, Generic[T]):
    """A page of a list, newest first; subclass `Page[Item]`."""

    items: list[T]
    page: int
    per_page: int
    total: int = Field(description="Items on all pages.")
