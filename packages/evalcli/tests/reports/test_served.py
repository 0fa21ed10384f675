"""What providers serve, as a table and as JSON."""

from __future__ import annotations

from evalcli.reports.served import served_models, served_object, served_table
from evalcore.clients.interface import Served, ServedModel
from evalcore.errors import ProviderUnreachable
from evalcore.library.models import Model, NotConfigured

ANSWERS = {
    "mindrouter": Served("1", {"small": ServedModel("small"), "big": ServedModel("big", "q4", 8192)}),
    "openai": NotConfigured("OPENAI_API_KEY is not set"),
    "google": ProviderUnreachable("no connection"),
    "ours": Served(None, {"big": ServedModel("big")}),
}
MODELS = [Model("big", "mindrouter"), Model("gpt", "openai")]


def test_a_model_is_in_the_file_where_that_has_it_of_the_same_provider() -> None:
    assert served_table(served_models(ANSWERS, MODELS)).rows == (
        ("big", "mindrouter", "yes", "8192", "q4"),
        ("small", "mindrouter", "no", "-", "-"),
        ("big", "ours", "no", "-", "-"),
    )


def test_json_has_null_for_what_is_not_said() -> None:
    first, second, _ = served_object(served_models(ANSWERS, MODELS))
    assert first == {
        "model": "big",
        "provider": "mindrouter",
        "in_models_yaml": True,
        "context": 8192,
        "quantization": "q4",
    }
    assert (second["context"], second["quantization"]) == (None, None)
