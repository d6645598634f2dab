"""A search in passages of documents, by words and by vectors, on SQLite and on PostgreSQL alike."""

from chassis.search.built_in import BUILT_IN, embedded
from chassis.search.index import SearchIndex
from chassis.search.query import Query
from chassis.search.vectors import Vector, described
from chassis.search.words import add_full_text

__all__ = ["BUILT_IN", "Query", "SearchIndex", "Vector", "add_full_text", "described", "embedded"]
