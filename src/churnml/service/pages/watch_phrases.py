"""What `churnml monitor` gives as its reasons: the sentences of `verbs/verdict.py`, in the reader's language."""

from __future__ import annotations

from churnml.wording import Language, translator


def watch_phrases(language: Language) -> list[str]:
    """Return its sentences, those that are narrower first; places stand for what is found there."""
    return [*_of_the_model(language), *_of_the_pulse(language), *_of_age(language), *_signals(language)]


def _of_the_model(language: Language) -> list[str]:
    _ = translator(language).gettext
    return [
        _("the challenger's Brier is better on closed labels beyond noise: `churnml promote` makes it champion"),
        _(
            "of %(customers)s customers at %(day)s %(observed)s left and %(expected)s were expected to, "
            "%(deviations)s deviations off what season and chance explain"
        ),
        _(
            "AUROC at the last cutoff that closed is %(auroc)s, at most %(high)s; when judged it was %(judged)s, at "
            "least %(low)s"
        ),
        _(
            "customers look further from those of %(day)s than time alone explains: distance %(distance)s, usually up "
            "to %(usual)s"
        ),
        _(
            "scores lie further from those of %(day)s than time alone explains: distance %(distance)s, usually up to "
            "%(usual)s"
        ),
        _(
            "attributes lie further from those of %(day)s than time alone explains: distance %(distance)s, usually up "
            "to %(usual)s"
        ),
        _("%(attribute)s `%(value)s` is borne by %(share)s of customers now and was by nobody at %(day)s"),
        _("%(attribute)s `%(value)s` was borne by %(share)s of customers at %(day)s and is by nobody at %(now)s"),
        _("%(count)s more values of attributes came or went: `--json` names them"),
    ]


def _of_the_pulse(language: Language) -> list[str]:
    _ = translator(language).gettext
    return [
        _(
            "signs of discontent in the last %(days)s days, taken together, lie %(deviations)s deviations above those "
            "of the %(months)s months before the model was made, and %(limit)s is an alarm; most of all %(worst)s"
        ),
        _("%(moved)s, and beyond %(limit)s is an alarm"),
        _("%(one)s deviations of season and chance; %(other)s deviations of season and chance"),
        _("%(moved)s deviations of season and chance"),
        _("%(signal)s (%(says)s) %(level)s in the last %(days)s days and %(before)s before, %(off)s"),
    ]


def _of_age(language: Language) -> list[str]:
    _ = translator(language).gettext
    return [
        _("nobody was scored yet: run `churnml score`"),
        _("the last scores are %(days)s days of data old: run `churnml score`"),
        _("nothing landed for %(days)s days"),
    ]


def _signals(language: Language) -> list[str]:
    _ = translator(language).gettext
    return [
        _("visits to pages of help, of contact or for leaving, to all visits"),
        _("returns to orders of ten days earlier"),
        _("complaints to orders of a week earlier"),
        _("mean score of the surveys that were answered"),
        _("surveys answered to surveys sent, a week left to answer"),
        _("orders of a customer who had bought lately"),
        _("visits of a customer who had bought lately"),
    ]
