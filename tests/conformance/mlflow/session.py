"""A usual session of the unmodified `mlflow` client, its answers made comparable and printed as JSON.

    python session.py http://127.0.0.1:5000           # {"version": ..., "answers": [[call, answer], ...]}

The same session against MLflow's own server and Slipway's must give the same answers. Ids, times and
experiments' numbers are replaced by labels in the order in which they first appear; an error is its code.
"""
import json
import os
import re
import sys
import tempfile

os.environ.update(MLFLOW_HTTP_REQUEST_MAX_RETRIES="1", MLFLOW_ENABLE_ASYNC_LOGGING="false", GIT_PYTHON_REFRESH="quiet",
                  MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true", MLFLOW_DISABLE_TELEMETRY="true")
import mlflow  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import DatasetInput, Dataset, InputTag, Metric, Param, RunTag, ViewType  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402

HEX = re.compile(r"(?<![0-9a-f])(m-)?[0-9a-f]{32}(?![0-9a-f])")
ROOT = re.compile(r"mlflow-artifacts:/+\d+")
SKIPPED = {"run_uuid", "creation_time", "last_update_time", "creation_timestamp", "last_updated_timestamp", "user_id",
           "workspace", "deployment_job_id", "deployment_job_state", "trace_location",
           "effective_trace_archival_retention", "trace_archival_retention"}


class Session:
    def __init__(self, url):
        mlflow.set_tracking_uri(url)
        self.client = MlflowClient(tracking_uri=url)
        self.answers, self.labels = [], {}

    def label(self, value, kind):
        if value not in self.labels:
            self.labels[value] = f"{kind}{sum(k.startswith(kind) for k in self.labels.values()) + 1}"
        return self.labels[value]

    def experiment(self, value):
        return self.label("experiment " + str(value), "EXPERIMENT")

    def text(self, value):
        value = ROOT.sub("mlflow-artifacts:/E", value)
        return HEX.sub(lambda m: self.label(m.group(0), "MODEL" if m.group(1) else "RUN"), value)

    def plain(self, value, key=""):
        if key == "experiment_id":
            return self.experiment(value)
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, float):
            return repr(value)
        if isinstance(value, (int, bool, type(None))):
            return value
        if isinstance(value, dict):
            return {self.text(str(k)): self.plain(v, k) for k, v in sorted(value.items())}
        if isinstance(value, (list, tuple, set)):
            return [self.plain(v) for v in value]
        if hasattr(value, "__dict__") or hasattr(type(value), "__iter__"):
            return self.members(value)
        return str(value)

    def members(self, value):
        names = [n for n in dir(type(value)) if isinstance(getattr(type(value), n, None), property)]
        found = {n: getattr(value, n) for n in names if not n.startswith("_") and n not in SKIPPED}
        return {n: self.plain(v, n) for n, v in sorted(found.items()) if v not in (None, [], {}, "")}

    def call(self, function, *args, **kwargs):
        """Calls a method of the client by name, or a function; returns what it gave."""
        name = function if isinstance(function, str) else function.__name__
        method = getattr(self.client, function) if isinstance(function, str) else function
        try:
            result = method(*args, **kwargs)
        except MlflowException as error:
            self.answers.append([name, {"error": error.error_code}])
            return None
        shown = self.experiment(result) if name == "create_experiment" else self.plain(result)
        self.answers.append([name, shown])
        return result


def experiments(s):
    first = s.call("create_experiment", "c-first", tags={"team": "x", "long key": "y z"})
    second = s.call("create_experiment", "c-second")
    s.call("create_experiment", "c-first")
    s.call("create_experiment", "")
    s.call("get_experiment", first)
    s.call("get_experiment", "987654")
    s.call("get_experiment_by_name", "c-second")
    s.call("get_experiment_by_name", "nobody")
    s.call("set_experiment_tag", first, "team", "z")
    s.call("set_experiment_tag", first, "unicode", "grün 🌊")
    s.call("rename_experiment", second, "c-renamed")
    s.call("rename_experiment", second, "c-first")
    s.call("delete_experiment", second)
    s.call("delete_experiment", "987654")
    s.call("get_experiment", second)
    for kwargs in ({"filter_string": "name LIKE 'c-%'"}, {"filter_string": "name ILIKE 'C-F%'"},
                   {"filter_string": "name LIKE 'C-%'"}, {"filter_string": "tags.team = 'z'"},
                   {"filter_string": "tags.`long key` != 'x'"}, {"filter_string": "attribute.name = 'c-first'"},
                   {"filter_string": "name LIKE 'c-%'", "view_type": ViewType.DELETED_ONLY},
                   {"filter_string": "name LIKE 'c-%'", "view_type": ViewType.ALL, "order_by": ["name DESC"]},
                   {"filter_string": "name LIKE 'c-%'", "view_type": ViewType.ALL, "max_results": 1,
                    "order_by": ["name"]},
                   {"filter_string": "nonsense"}, {"order_by": ["nonsense"]}, {"max_results": 0}):
        s.call("search_experiments", **kwargs)
    s.call("restore_experiment", second)
    s.call("get_experiment", second)
    return first, second


def runs(s, experiment):
    parent = s.call("create_run", experiment, start_time=1000, run_name="parent", tags={"kind": "outer"}).info.run_id
    child = s.call("create_run", experiment, start_time=2000, run_name="child",
                   tags={"mlflow.parentRunId": parent}).info.run_id
    s.call("create_run", "987654")
    s.call("create_run", experiment, run_name="a", tags={"mlflow.runName": "b"})
    for key, value, time, step in (("loss", 0.5, 10, 0), ("loss", 0.25, 20, 1), ("loss", 0.125, 30, 2),
                                   ("accuracy", 1.0, 10, 0), ("tiny", 1e-300, 5, -3), ("big", 123456789.125, 5, 7)):
        s.call("log_metric", child, key, value, timestamp=time, step=step)
    s.call("log_metric", child, "loss", 0.125, timestamp=30, step=2)
    s.call("log_metric", child, "nan", float("nan"), timestamp=1, step=0)
    s.call("log_metric", "0" * 32, "loss", 1.0)
    s.call("log_param", child, "lr", 0.1)
    s.call("log_param", child, "lr", 0.1)
    s.call("log_param", child, "lr", 0.2)
    s.call("log_param", child, "text/with.dots-and_more", "a 'quoted' \"text\" \\ with\nlines")
    s.call("set_tag", child, "colour", "blue")
    s.call("set_tag", child, "colour", "green")
    s.call("set_tag", child, "mlflow.note.content", "*note*")
    s.call("set_tag", child, "gone", "soon")
    s.call("delete_tag", child, "gone")
    s.call("delete_tag", child, "gone")
    s.call("log_batch", child, metrics=[Metric("batch", i / 4, 100 + i, i) for i in range(50)],
           params=[Param(f"p{i}", str(i)) for i in range(20)], tags=[RunTag("t", "1"), RunTag("u", "2")])
    s.call("log_batch", child, params=[Param("lr", "7")], tags=[RunTag("t", "never")])
    s.call("get_run", child)
    s.call("get_run", "f" * 32)
    for key in ("loss", "batch", "tiny", "none"):
        s.call("get_metric_history", child, key)
    s.call("update_run", child, status="FAILED", name="renamed")
    s.call("set_tag", parent, "mlflow.runName", "tagged")
    s.call("get_run", parent)
    s.call("set_terminated", child, status="FINISHED", end_time=9000)
    s.call("get_run", child)
    return parent, child


def inputs(s, run):
    dataset = Dataset(name="rows", digest="abc123", source_type="local", source='{"uri": "x"}', schema='{"a": 1}',
                      profile='{"n": 3}')
    for _ in range(2):
        s.call("log_inputs", run, [DatasetInput(dataset, [InputTag("mlflow.data.context", "train")])])
    s.call("get_run", run)
    for text in ("dataset.name = 'rows'", "dataset.digest LIKE 'abc%'", "datasets.context = 'train'",
                 "dataset.context = 'test'", "dataset.name IN ('rows', 'x')"):
        s.call("search_runs", [s.here], text)


def deletion(s, parent):
    s.call("delete_run", parent)
    s.call("get_run", parent)
    s.call("log_metric", parent, "x", 1.0, timestamp=1)
    s.call("search_runs", [s.here], run_view_type=ViewType.DELETED_ONLY)
    s.call("restore_run", parent)
    s.call("restore_run", "e" * 32)
    s.call("search_runs", [s.here], run_view_type=ViewType.ALL, order_by=["attributes.start_time ASC"])


def searches(s):
    for i in range(6):
        run = s.call("create_run", s.here, start_time=3000 + i, run_name=f"s{i}").info.run_id
        s.call("log_batch", run, metrics=[Metric("score", [3, 1, 2, float("nan"), 1, 5][i], 1, 0)] if i != 5 else [],
               params=[Param("size", str(10 - i))], tags=[RunTag("group", "ab"[i % 2])])
    for text in ("metrics.score > 1", "metrics.score != 1 and params.size = '8'", "tags.group = 'a'",
                 "tags.group ILIKE 'A' and attributes.status = 'RUNNING'", "attributes.run_name LIKE 's%'",
                 "params.size IS NULL", "params.size IN ('1')", "metrics.score = 'x'", "bad.key = 'x'", "run_id = 'x' OR 1"):
        s.call("search_runs", [s.here], text, order_by=["attributes.run_name"])
    for order in (["metrics.score DESC"], ["metrics.score ASC", "attributes.run_name DESC"], ["params.size"],
                  ["tags.group DESC", "metrics.score"], ["attributes.end_time"], ["nonsense.x"]):
        s.call("search_runs", [s.here], "", order_by=order)
    page = s.call("search_runs", [s.here], max_results=3, order_by=["attributes.run_name"])
    s.call("search_runs", [s.here], max_results=3, order_by=["attributes.run_name"], page_token=page.token)
    s.call("search_runs", ["987654"])
    s.call("search_runs", [s.here], max_results=60_000)


def artifacts(s, run):
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "plots", "deep"))
        for name, data in (("a.txt", b"hello"), ("plots/x.bin", bytes(range(256)) * 100), ("plots/deep/e", b"")):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        s.call("log_artifact", run, os.path.join(folder, "a.txt"))
        s.call("log_artifact", run, os.path.join(folder, "a.txt"), "sub folder/ü")
        s.call("log_artifacts", run, os.path.join(folder, "plots"), "plots")
        s.call("log_text", run, "über", "notes/text.md")
        s.call("log_dict", run, {"a": [1, 2]}, "notes/data.json")
        for path in (None, "plots", "plots/deep", "notes", "sub folder/ü", "nothing"):
            s.call("list_artifacts", run, path)
        for path in ("a.txt", "plots", "notes/text.md"):
            def download_artifacts(path=path):
                got = s.client.download_artifacts(run, path, os.path.join(folder, "plots", "deep"))
                names = [got] if os.path.isfile(got) else sorted(
                    os.path.join(at, n) for at, _, files in os.walk(got) for n in files)
                return {os.path.basename(n): open(n, "rb").read().hex()[:64] for n in names}
            s.call(download_artifacts)
        s.call("download_artifacts", run, "missing.txt", folder)


def registry(s, run):
    s.call("create_registered_model", "c-model", tags={"a": "1"}, description="first")
    s.call("create_registered_model", "c-model")
    s.call("create_registered_model", "c-other")
    s.call("get_registered_model", "c-model")
    s.call("get_registered_model", "nobody")
    s.call("update_registered_model", "c-model", "second")
    source = s.client.get_run(run).info.artifact_uri
    for i in range(3):
        s.call("create_model_version", "c-model", f"{source}/{i}", run_id=run, tags={"n": str(i)},
               description=f"v{i}")
    s.call("create_model_version", "nobody", f"{source}/x", run_id=run)
    s.call("get_model_version", "c-model", "2")
    s.call("get_model_version", "c-model", "9")
    s.call("get_model_version_download_uri", "c-model", "2")
    s.call("update_model_version", "c-model", "2", "changed")
    s.call("set_registered_model_tag", "c-model", "b", "2")
    s.call("delete_registered_model_tag", "c-model", "a")
    s.call("set_model_version_tag", "c-model", "2", "k", "v")
    s.call("delete_model_version_tag", "c-model", "2", "n")
    s.call("set_registered_model_alias", "c-model", "production", "2")
    s.call("set_registered_model_alias", "c-model", "latest", "2")
    s.call("get_model_version_by_alias", "c-model", "production")
    s.call("get_model_version_by_alias", "c-model", "nobody")
    s.call("delete_registered_model_alias", "c-model", "production")
    s.call("set_registered_model_alias", "c-model", "champion", "3")
    for text in ("name LIKE 'c-%'", "name = 'c-model' and tags.b = '2'", "name ILIKE 'C-OTHER'", "bad = 'x'"):
        s.call("search_registered_models", text, order_by=["name ASC"])
    for text, order in (("name = 'c-model'", ["version_number DESC"]), (f"run_id = '{run}'", ["version_number ASC"]),
                        ("name = 'c-model' and tags.k = 'v'", None), ("nonsense = 1", None)):
        s.call("search_model_versions", text, order_by=order)
    s.call("rename_registered_model", "c-other", "c-renamed")
    s.call("delete_model_version", "c-model", "1")
    s.call("delete_registered_model", "c-renamed")
    s.call("delete_registered_model", "nobody")
    s.call("get_registered_model", "c-model")


def prompts(s):
    register = getattr(mlflow, "genai", mlflow).register_prompt if hasattr(mlflow, "genai") else mlflow.register_prompt
    space = mlflow.genai if hasattr(mlflow, "genai") and hasattr(mlflow.genai, "load_prompt") else mlflow

    def register_prompt(text):
        made = register(name="c-prompt", template=text, commit_message="why")
        return {"version": made.version, "template": made.template}

    def load_prompt(uri):
        got = space.load_prompt(uri)
        return {"version": got.version, "template": got.template, "filled": got.format(name="Ada")}

    s.call(register_prompt, "Hello {{name}}")
    s.call(register_prompt, "Good day {{ name }}")
    s.call(space.set_prompt_alias, "c-prompt", "production", 1)
    s.call(load_prompt, "prompts:/c-prompt/2")
    s.call(load_prompt, "prompts:/c-prompt@production")
    s.call(space.delete_prompt_alias, "c-prompt", "production")

    def search_registered_models(text):
        return [m.name for m in s.client.search_registered_models(text)]
    s.call(search_registered_models, "")
    s.call(search_registered_models, "tags.`mlflow.prompt.is_prompt` = 'true'")


def fluent(s):
    mlflow.set_experiment("c-fluent")
    with mlflow.start_run(run_name="outer") as outer:
        mlflow.log_params({"a": 1, "b": "two"})
        mlflow.log_metrics({"x": 1.0, "y": 2.0}, step=3)
        mlflow.set_tags({"k": "v"})
        with mlflow.start_run(run_name="inner", nested=True) as inner:
            mlflow.log_metric("x", 3.0, step=1)
    for run in (outer, inner):
        def finished(run_id=run.info.run_id):
            got = s.client.get_run(run_id)
            return {"name": got.info.run_name, "status": got.info.status, "params": got.data.params,
                    "metrics": got.data.metrics, "parent": got.data.tags.get("mlflow.parentRunId")}
        s.call(finished)


def main(url):
    s = Session(url)
    first, _ = experiments(s)
    s.here = first
    parent, child = runs(s, first)
    inputs(s, child)
    deletion(s, parent)
    searches(s)
    artifacts(s, child)
    registry(s, child)
    prompts(s)
    fluent(s)
    print(json.dumps({"version": mlflow.__version__, "answers": s.answers}))


if __name__ == "__main__":
    main(sys.argv[1])
