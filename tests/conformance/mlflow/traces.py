"""Two traces by the unmodified client of MLflow 3, nested and with an error; prints their ids.

    python traces.py http://127.0.0.1:5000
"""
import json
import os
import sys

os.environ.update(MLFLOW_HTTP_REQUEST_MAX_RETRIES="1", MLFLOW_DISABLE_TELEMETRY="true",
                  MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false")
import mlflow  # noqa: E402


@mlflow.trace
def inner(number):
    if number < 0:
        raise ValueError("negative")
    return number + 1


@mlflow.trace
def outer(number):
    return inner(number) * 2


def main(url):
    mlflow.set_tracking_uri(url)
    mlflow.set_experiment("c-traces")
    ids = []
    for number in (1, -1):
        try:
            outer(number)
        except ValueError:
            pass
        ids.append(mlflow.get_last_active_trace_id())
    print(json.dumps(ids))


if __name__ == "__main__":
    main(sys.argv[1])
