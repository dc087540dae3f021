"""MLflow, used through its own client. Run by the Python of MLflow's own virtual environment.

mlflow_app.py fill URI      experiments, runs, metrics, models, prompts, traces, secrets …
mlflow_app.py overfill URI  one more experiment, whose name MLflow takes although its own column is shorter
mlflow_app.py dump URI      everything that MLflow reads, as JSON
mlflow_app.py use URI       go on working, and read that back

URI is a database's or a running tracking server's.
"""

from __future__ import annotations

import math
import sys
from enum import Enum
from typing import Any

import mlflow
from mlflow.entities import (
    AssessmentSource,
    Dataset,
    DatasetInput,
    Expectation,
    Feedback,
    GatewayEndpointModelConfig,
    GatewayModelLinkageType,
    InputTag,
    Metric,
    Param,
    RunTag,
    ViewType,
)
from mlflow.store.tracking.gateway.config_resolver import get_endpoint_config
from printing import as_json, write_json

NAME = 'Ünïcödé 漢字 🦀 - it\'s "quoted"'
TEXT = "Zürich, 北京,\tnaïve\n🚀 \\n 'quoted' \"twice\" ; " * 100
DOUBLES = (0.1 + 0.2, 5e-324, 1.7976931348623157e308, 1e22, 123456789.123, 2.0**53 + 2, -1e-300, 0.0, -7.0)
ODD = {"nan": math.nan, "up": math.inf, "down": -math.inf}
LAST_STEP = 2**63 - 1


def fill(client: mlflow.MlflowClient) -> None:
    first = client.create_experiment(NAME, artifact_location="file:///data/artefacts/ü", tags={"owner": "Zoë 北京"})
    second = client.create_experiment("deleted", artifact_location="file:///data/deleted")
    client.set_experiment_tag(first, "mlflow.note.content", TEXT)
    runs = [fill_run(client, first, number) for number in range(12)]
    fill_run(client, "0", 0)
    client.set_tag(fill_run(client, second, 1), "mlflow.parentRunId", runs[0])
    client.delete_run(runs[3])
    client.delete_experiment(second)
    fill_models(client, first, runs)
    fill_traces(client, first, runs)
    fill_gateway(client)


def fill_run(client: mlflow.MlflowClient, experiment: str, number: int) -> str:
    began = 1_700_000_000_000 + number * 86_400_000
    run: str = client.create_run(experiment, start_time=began, run_name=f"{NAME} {number}").info.run_id
    metrics = [Metric("loss", value, began + step, step) for step, value in enumerate(DOUBLES)]
    metrics += [Metric(f"odd/{name}", value, began, step) for name, value in ODD.items() for step in (0, number)]
    metrics += [Metric("last step", 0.5, began, LAST_STEP), Metric("negative step", -0.5, began, -LAST_STEP)]
    metrics += [Metric("same step twice", 1.0, began, 1), Metric("same step twice", 2.0, began, 1)]
    params = [Param("learning rate", "1e-3"), Param("long", "ß" * 6000), Param("empty", ""), Param("größe", "007")]
    client.log_batch(run, metrics, params, [RunTag("text", TEXT), RunTag("x" * 250, "1"), RunTag("käse", "🧀")])
    data = Dataset(
        name=f"rows {number % 2}",
        digest=f"{number % 2:08x}",
        source_type="http",
        source='{"url": "https://data.example/ü.csv"}',
        schema='{"columns": ["größe"]}',
        profile='{"rows": 12}',
    )
    client.log_inputs(run, [DatasetInput(data, [InputTag("mlflow.data.context", "training ☕")])])
    if number % 4 != 2:
        client.set_terminated(run, status=("FINISHED", "FAILED", "", "KILLED")[number % 4], end_time=began + 61_001)
    return run


def fill_models(client: mlflow.MlflowClient, experiment: str, runs: list[str]) -> None:
    logged = client.create_logged_model(
        experiment, name="classifier", source_run_id=runs[0], tags={"größe": "µ"}, params={"depth": "3"}
    )
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_metric(runs[0], "accuracy", 0.9, step=3, timestamp=1_700_000_000_000, model_id=logged.model_id)
    client.create_registered_model("classifier", tags={"team": "Zürich"}, description=TEXT)
    for number in range(3):
        client.create_model_version(
            "classifier", f"file:///data/models/{number}", runs[number], tags={"n": str(number)}
        )
    client.set_registered_model_alias("classifier", "champion", "2")
    client.delete_model_version("classifier", "3")
    client.create_registered_model("no versions yet 漢字")
    client.register_prompt("greeting", "Grüezi {{name}}, 你好 🦀", commit_message="first", tags={"lang": "de"})
    client.register_prompt("greeting", [{"role": "system", "content": "Salü {{name}}"}], commit_message="second")
    client.set_prompt_alias("greeting", "live", 1)


def fill_traces(client: mlflow.MlflowClient, experiment: str, runs: list[str]) -> None:
    person = AssessmentSource("HUMAN", "zoë@example.org")
    spent = {
        "mlflow.chat.tokenUsage": {"input_tokens": 2**40, "output_tokens": 7, "total_tokens": 2**40 + 7},
        "mlflow.llm.cost": {"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.1 + 0.2},
        "mlflow.llm.model": "gpt-tiny",
    }
    traces = []
    for number in range(3):
        root = client.start_trace(
            f"question {number} - ü", inputs={"q": NAME, "n": [1, 2.5, None]}, experiment_id=experiment,
            tags={"kind": "test 漢字"},
        )  # fmt: skip
        child = client.start_span("look up", root.trace_id, root.span_id, span_type="RETRIEVER", inputs={"k": number})
        client.end_span(child.trace_id, child.span_id, outputs={"found": TEXT}, attributes=spent)
        client.end_trace(root.trace_id, outputs="answer", status="ERROR" if number == 1 else "OK")
        traces.append(root.trace_id)
    mlflow.flush_trace_async_logging()
    for trace, value in zip(traces, (True, 0.75, {"why": ["ü", None]}), strict=True):
        mlflow.log_assessment(trace, Feedback(name="good", value=value, source=person, rationale=TEXT))
        mlflow.log_assessment(trace, Expectation(name="answer", value=["a", 1, None], source=person))
    client.link_traces_to_run(traces[:2], runs[0])
    dataset = client.create_dataset("questions ü", experiment_id=[experiment, "0"], tags={"größe": "klein"})
    dataset.merge_records(
        [
            {"inputs": {"q": f"{NAME} {number}", "x": 1e22}, "expectations": {"a": None}, "tags": {"n": str(number)}}
            for number in range(5)
        ]
    )


def fill_gateway(client: mlflow.MlflowClient) -> None:
    store = client._tracking_client.store
    secret = store.create_gateway_secret("key ü", {"api_key": "s3cr3t-ü"}, provider="openai", created_by="zoë")
    small = store.create_gateway_model_definition("small", secret.secret_id, "openai", "gpt-tiny")
    primary = GatewayEndpointModelConfig(small.model_definition_id, GatewayModelLinkageType.PRIMARY, weight=0.1)
    store.create_gateway_endpoint("way in", [primary], usage_tracking=False)
    client.create_mcp_server("org.example/weather", description=NAME)
    client.create_mcp_server_version(
        {"name": "org.example/weather", "version": "1.2.3", "description": NAME, "packages": []}, tools=[]
    )
    client.set_mcp_server_alias("org.example/weather", "stable", "1.2.3")
    client.create_webhook("told", "https://93.184.215.14/hook", ["model_version.created"], secret="shh")


def overfill(client: mlflow.MlflowClient) -> None:
    """MLflow checks names against 500 characters; its column is 256 wide, which SQLite does not mind."""
    client.create_experiment("n" * 300, artifact_location="file:///data/long")


def plain(value: Any) -> Any:
    """What an entity of MLflow holds, all of it: any object by its attributes. Pure."""
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(each) for each in value]
    if hasattr(value, "to_dictionary"):
        return plain(value.to_dictionary())
    if not hasattr(value, "__dict__"):
        return str(value)  # a message as the server sent it
    return {name.lstrip("_"): plain(each) for name, each in vars(value).items()}


def decrypt_keys(store: Any) -> Any:
    """What the gateway hands to a model's provider. Only where the database is: a server does not give it away."""
    if not hasattr(store, "engine"):
        return None
    return [each.secret_value for each in get_endpoint_config("way in", store).models]


def dump(client: mlflow.MlflowClient) -> dict[str, Any]:
    store = client._tracking_client.store
    experiments = sorted(client.search_experiments(ViewType.ALL), key=lambda each: int(each.experiment_id))
    ids = [each.experiment_id for each in experiments]
    runs = sorted(client.search_runs(ids, "", ViewType.ALL), key=lambda run: run.info.run_id)
    traces = sorted(client.search_traces(locations=ids), key=lambda trace: trace.info.trace_id)
    return {
        "experiments": plain(experiments),
        "runs": [
            {
                "run": plain(run),
                "history": {
                    key: sorted((plain(each) for each in client.get_metric_history(run.info.run_id, key)), key=as_json)
                    for key in run.data.metrics
                },
            }
            for run in runs
        ],
        "worst": [run.info.run_id for run in client.search_runs(ids, "metrics.loss < 0", order_by=["run_id"])],
        "models": plain(client.search_registered_models(order_by=["name ASC"])),
        "versions": plain(client.search_model_versions(order_by=["name ASC", "version_number ASC"])),
        "logged models": plain(client.search_logged_models(ids)),
        "prompts": [plain(client.get_prompt_version("greeting", number)) for number in (1, 2)],
        "live prompt": plain(client.get_prompt_version_by_alias("greeting", "live")),
        "traces": [plain(trace.to_dict()) for trace in traces],
        "slow traces": len(client.search_traces(locations=ids, filter_string="attributes.status = 'ERROR'")),
        "datasets": [
            {"set": plain(each.to_dict()), "records": sorted((plain(r) for r in each.records), key=as_json)}
            for each in client.search_datasets(ids)
        ],
        "secrets": plain(store.list_secret_infos()),
        "endpoints": plain(store.list_gateway_endpoints()),
        "decrypted": decrypt_keys(store),
        "model definitions": plain(store.list_gateway_model_definitions()),
        "servers": plain(client.search_mcp_servers()),
        "server versions": plain(client.search_mcp_server_versions("org.example/weather")),
        "webhooks": plain(client.list_webhooks()),
    }


def use(client: mlflow.MlflowClient) -> dict[str, Any]:
    """Write as a user would: each number that the database gives out must be a new one."""
    before = dump(client)
    last = max(int(each["experiment_id"]) for each in before["experiments"])
    added = client.create_experiment("made after the move", artifact_location="file:///data/new")
    assert int(added) > last
    run = fill_run(client, added, 5)
    history = {each.step: each.value for each in client.get_metric_history(run, "loss")}
    assert [history[step] for step in range(len(DOUBLES))] == list(DOUBLES)
    assert math.isnan(client.get_run(run).data.metrics["odd/nan"])
    assert client.create_model_version("classifier", "s3://models/new").version == "4"  # 3 was deleted
    client.rename_registered_model("classifier", "renamed")  # by a foreign key ON UPDATE CASCADE
    assert [each.version for each in client.search_model_versions("name = 'renamed'", order_by=["version_number ASC"])]
    deleted = next(each for each in before["experiments"] if each["name"] == "deleted")
    client.restore_experiment(deleted["experiment_id"])
    first = next(each for each in before["experiments"] if each["name"] == NAME)
    client.rename_experiment(first["experiment_id"], "renamed ü")
    old = before["traces"][0]["info"]["trace_id"]
    client.set_trace_tag(old, "after", "the move 漢字")
    client.delete_traces(first["experiment_id"], trace_ids=[before["traces"][1]["info"]["trace_id"]])
    mlflow.log_assessment(old, Feedback(name="again", value=False, source=AssessmentSource("HUMAN", "x")))
    after = dump(client)
    assert len(after["runs"]) == len(before["runs"]) + 1
    assert len(after["traces"]) == len(before["traces"]) - 1
    olds = {each["run"]["info"]["run_id"]: each for each in before["runs"]}
    for each in after["runs"]:
        known = olds.get(each["run"]["info"]["run_id"])
        assert known is None or as_json(each["history"]) == as_json(known["history"])
    return after


if __name__ == "__main__":
    command, uri = sys.argv[1:]
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
    if command in {"fill", "overfill"}:
        {"fill": fill, "overfill": overfill}[command](client)
    else:
        write_json({"dump": dump, "use": use}[command](client))
