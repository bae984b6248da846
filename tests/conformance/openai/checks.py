"""Run by `run`, inside the client's own Python, with the server's address."""
import concurrent.futures
import json
import sys

import openai


class Checks:
    def __init__(self, url):
        self.client = openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0, timeout=300)
        self.failed = 0

    def check(self, what, good, seen=""):
        self.failed += not good
        print(f"  {'ok  ' if good else 'FAIL'}  {what}" + ("" if good else f": {seen}"), flush=True)

    def ask(self, text, model="words", **more):
        return self.client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": text}], **more)

    def refused(self, what, kind, ask):
        try:
            ask()
        except openai.APIStatusError as error:
            seen = type(error).__name__
            self.check(what, isinstance(error, kind) and bool(error.body.get("message")), seen)
            return
        self.check(what, False, "no error")

    def models(self):
        names = [model.id for model in self.client.models.list()]
        self.check("models: those of the project", names == ["words", "calls"], names)
        self.check("models: one", self.client.models.retrieve("calls").id == "calls")

    def chat(self):
        answer = self.ask("The capital of France is", max_tokens=8)
        text, usage = answer.choices[0].message.content, answer.usage
        self.check("chat: text", bool(text), answer)
        self.check("chat: why it ended", answer.choices[0].finish_reason in ("length", "stop"))
        self.check("chat: usage", usage.prompt_tokens > 3 and 1 <= usage.completion_tokens <= 8
                   and usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage)
        self.check("chat: fingerprint", (answer.system_fingerprint or "").startswith("fp_"))
        again = self.ask("The capital of France is", max_tokens=8).choices[0].message.content
        self.check("chat: the same twice", text == again, (text, again))
        stopped = self.ask("1 2 3 4 5 6 7", stop=[" 9"]).choices[0].message.content
        self.check("chat: stop", " 9" not in stopped, stopped)
        parts = [{"type": "text", "text": "The capital of France is"}]
        other = self.client.chat.completions.create(
            model="words", max_tokens=8, messages=[{"role": "user", "content": parts}])
        self.check("chat: content in parts", other.choices[0].message.content == text)
        logged = self.ask("The capital of France is", max_tokens=4, logprobs=True).choices[0].logprobs
        self.check("chat: logprobs", all(token.logprob <= 0 for token in logged.content), logged)
        seeded = [self.ask("Once upon a time", temperature=1, seed=seed).choices[0].message.content
                  for seed in (1, 1, 2)]
        self.check("chat: a seed repeats", seeded[0] == seeded[1] != seeded[2], seeded)

    def streaming(self):
        whole = self.ask("The capital of France is", max_tokens=16)
        chunks = list(self.ask("The capital of France is", max_tokens=16, stream=True,
                               stream_options={"include_usage": True}))
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        self.check("stream: the same text", text == whole.choices[0].message.content, text)
        self.check("stream: in pieces", len(chunks) > 3, len(chunks))
        self.check("stream: usage at the end", chunks[-1].usage == whole.usage, chunks[-1])
        self.check("stream: one fingerprint",
                   {c.system_fingerprint for c in chunks} == {whole.system_fingerprint})
        with self.client.chat.completions.stream(
                model="words", stop=[" 9"],  # the collector refuses what the length limit ended
                messages=[{"role": "user", "content": "1 2 3 4 5 6 7"}]) as stream:
            final = stream.get_final_completion()
        self.check("stream: the client's own collector", bool(final.choices[0].message.content))

    def tools(self):
        asked = [{"role": "user", "content": "weather in boston"}]
        answer = self.client.chat.completions.create(model="calls", messages=asked)
        message = answer.choices[0].message
        self.check("tools: asked for", answer.choices[0].finish_reason == "tool_calls", answer)
        call = message.tool_calls[0]
        self.check("tools: a call", call.function.name == "weather.get_weather"
                   and json.loads(call.function.arguments) == {"location": "boston"}, call)
        result = {"role": "tool", "tool_call_id": call.id, "content": '{"temperature": 7}'}
        reply = self.client.chat.completions.create(model="calls", messages=[*asked, message, result])
        self.check("tools: the reply", reply.choices[0].message.content ==
                   "It is 7 degrees in boston.", reply)
        chunks = list(self.ask("weather in boston", model="calls", stream=True))
        streamed = [c for c in chunks if c.choices[0].delta.tool_calls]
        self.check("tools: streamed", len(streamed) == 1 and
                   streamed[0].choices[0].delta.tool_calls[0].function.name == call.function.name)
        own = [{"type": "function", "function": {"name": "set_timer", "parameters": {
            "type": "object", "properties": {"minutes": {"type": "integer"}},
            "required": ["minutes"], "additionalProperties": False}, "strict": True}}]
        answer = self.ask("timer for 5 minutes", model="calls", tools=own, tool_choice="required")
        arguments = json.loads(answer.choices[0].message.tool_calls[0].function.arguments)
        self.check("tools: the request's own", isinstance(arguments.get("minutes"), int), answer)

    def errors(self):
        self.refused("error: no such model", openai.NotFoundError,
                     lambda: self.ask("hi", model="wrods"))
        self.refused("error: n", openai.BadRequestError, lambda: self.ask("hi", n=2))
        self.refused("error: longer than the context", openai.BadRequestError,
                     lambda: self.ask("word " * 4000))
        self.refused("error: the same, streamed", openai.BadRequestError,
                     lambda: self.ask("word " * 4000, stream=True))
        self.refused("error: a strict schema with a pattern", openai.BadRequestError, lambda: self.ask(
            "hi", response_format={"type": "json_schema", "json_schema": {
                "name": "x", "strict": True, "schema": {"type": "string", "pattern": "^a+$"}}}))
        self.refused("error: a schema that is none", openai.BadRequestError, lambda: self.ask(
            "hi", response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": "text"}}))

    def formats(self):
        schema = {"type": "object", "additionalProperties": False, "required": ["city", "country", "size", "tags"],
                  "properties": {"city": {"type": "string", "maxLength": 20}, "country": {"$ref": "#/$defs/Country"},
                                 "size": {"enum": ["small", "large"]},
                                 "tags": {"type": "array", "items": {"type": "boolean"}, "maxItems": 2}},
                  "$defs": {"Country": {"type": "string", "maxLength": 20}}}
        form = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": schema}}
        answer = self.ask("Paris is a city. As JSON:", response_format=form, max_tokens=200)
        value = json.loads(answer.choices[0].message.content)
        self.check("formats: json_schema", list(value) == ["city", "country", "size", "tags"]
                   and value["size"] in ("small", "large") and len(value["city"]) <= 20, value)
        self.check("formats: it ended by itself", answer.choices[0].finish_reason == "stop", answer)
        chunks = self.ask("Paris is a city. As JSON:", response_format=form, max_tokens=200, stream=True)
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        self.check("formats: streamed, the same", text == answer.choices[0].message.content, text)
        with_calls = self.ask("weather in boston", model="calls", response_format=form, max_tokens=200)
        message = with_calls.choices[0].message
        self.check("formats: no call of the candidate's own", not message.tool_calls
                   and set(json.loads(message.content)) == set(value), message)
        plain = self.ask("An object:", response_format={"type": "json_object"}, max_tokens=400, temperature=0)
        content, ended = plain.choices[0].message.content, plain.choices[0].finish_reason == "stop"
        self.check("formats: json_object", content.startswith("{") and (
            not ended or isinstance(json.loads(content), dict)), content)

    def burst(self):
        texts = [f"{i} plus {i} is" for i in range(8)]
        alone = [self.ask(text, max_tokens=8).choices[0].message.content for text in texts]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(self.ask, text, max_tokens=8) for text in texts]
            together = [job.result().choices[0].message.content for job in jobs]
        self.check("burst: eight at once, as one by one", alone == together, (alone, together))


def main():
    checks = Checks(sys.argv[1])
    for part in (checks.models, checks.chat, checks.streaming, checks.tools, checks.formats, checks.errors,
                 checks.burst):
        part()
    print("all as the client expects" if not checks.failed else f"{checks.failed} checks failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
