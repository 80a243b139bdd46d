"""Each feature is declared once, in both languages, and off where its table is missing."""

import re

import pytest

from churnml.errors import ConfigError
from churnml.events import TABLES
from churnml.features import catalogue
from churnml.features.table import reads

ALL = catalogue(TABLES, {"household_size": ("household size", "家庭人数")})
names = [feature.name for feature in ALL.features]


def test_names_are_unique():
    assert len(names) == len(set(names))


@pytest.mark.parametrize("feature", ALL.features, ids=names)
def test_a_feature_is_worded_in_both_languages(feature):
    for text in (feature.meaning, feature.sentence):
        assert re.search(r"[a-z]", text.en)
        assert re.search(r"[\u4e00-\u9fff]", text.zh)


@pytest.mark.parametrize("feature", ALL.features, ids=names)
def test_a_sentence_names_its_own_value_and_only_features_that_exist(feature):
    places = [set(re.findall(r"{(\w+)}", text)) for text in (feature.sentence.en, feature.sentence.zh)]
    assert places[0] == places[1]
    assert places[0] <= {"value", *names}
    assert "value" in places[0] or places[0]


@pytest.mark.parametrize("feature", ALL.numeric, ids=[feature.name for feature in ALL.numeric])
def test_a_feature_is_of_a_table_of_the_contract(feature):
    assert feature.table in TABLES
    assert feature.needs


def test_the_columns_that_are_read_stand_in_the_contract_and_none_is_personal():
    for name, columns in reads(ALL).items():
        table = TABLES[name.partition(".")[0]]
        assert not [column for column in columns if table.column(column).personal]


def test_there_are_more_than_120_features_of_six_families():
    assert len(ALL.features) > 120
    assert set(ALL.families) == {"purchase", "behavior", "satisfaction", "engagement", "subscription", "profile"}


def test_the_complete_journey_has_four_families(store):
    assert set(catalogue(store.tables).families) == {"purchase", "behavior", "engagement", "profile"}


def test_a_family_that_is_off_names_the_tables_that_would_switch_it_on():
    assert catalogue(["customers", "orders"]).off == {
        "behavior": "needs interactions",
        "satisfaction": "needs surveys or tickets or returns",
        "engagement": "needs contacts or interactions",
        "subscription": "needs subscriptions",
    }


def test_no_family_is_called_off_for_want_of_tables_that_have_landed():
    assert "engagement" not in ALL.off


def test_without_order_lines_their_features_are_off_and_the_others_stay():
    fewer = {feature.name for feature in catalogue(["customers", "orders"]).features}
    assert "categories_all" not in fewer
    assert "orders_90d" in fewer


def test_a_feature_of_two_tables_needs_both():
    assert "redemptions_per_contact" not in {
        feature.name for feature in catalogue(["customers", "orders", "contacts"]).features
    }


def test_an_attribute_cannot_bear_the_name_of_a_feature():
    with pytest.raises(ConfigError, match="attribute `recency_days` bears the name of a feature; rename it"):
        catalogue(TABLES, {"recency_days": ("recency", "近度")})
