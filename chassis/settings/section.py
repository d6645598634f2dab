"""A section: settings that are declared together, with their rules."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

if TYPE_CHECKING:
    from chassis.settings.core import Settings

Problem = tuple[str, str]
"""A type: what is wrong with a setting, as the variable's name and the rest of the sentence."""


class Section(BaseSettings):
    """A group of settings; a feature declares its own as a subclass in its `settings.py`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        allow_inf_nan=False,
        defer_build=True,  # the core's sections are only used as bases of Settings, which halves the time of the import
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Accept values from `load_settings` only, which knows every source."""
        return (init_settings,)

    def problems(self) -> Iterable[Problem]:
        """Return the problems of the settings of this section; a subclass overrides it with its rules."""
        return ()

    def problems_with(self, settings: "Settings") -> Iterable[Problem]:
        """Return the problems of this section's settings beside those of the chassis; a subclass overrides it."""
        return ()
