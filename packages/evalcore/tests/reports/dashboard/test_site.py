"""index.json's schema: every field is described, and every site is as it says."""

from __future__ import annotations

import json

import jsonschema_rs
import msgspec

from evalcore.reports.dashboard.build import build_site
from evalcore.reports.dashboard.component import component_digest
from evalcore.reports.dashboard.facts import ComponentFacts, LibraryFacts
from evalcore.reports.dashboard.site import SITE_SCHEMA_VERSION, site_schema
from evalcore.runs.leaderboard import leaderboard_of
from evalsim.testing import make_record


def test_a_site_is_as_the_schema_says_and_another_is_not():
    validator = jsonschema_rs.validator_for(site_schema())
    library = LibraryFacts(name="library")
    digest = component_digest(
        ComponentFacts(slug="memo", name="Memo"), leaderboard_of("memo", [make_record(1)]), library, {}
    )
    site = json.loads(msgspec.json.encode(build_site(library, [digest])))
    validator.validate(site)
    assert site["schema_version"] == SITE_SCHEMA_VERSION
    assert not validator.is_valid(site | {"components": [{}]})
