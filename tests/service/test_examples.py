"""The examples in the description of the API: one for every body, whatever is answered, and each as it is described."""

import jsonschema_rs
import pytest


@pytest.fixture(scope="module")
def schema(client):
    return client.get("/v1/openapi.json").json()


def bodies(schema):
    """Give where each body stands that a route takes or gives, and what is described of it; files apart."""
    for path, routes in schema["paths"].items():
        for method, route in routes.items():
            found = {"sent": route.get("requestBody", {})} | route["responses"]
            for name, told in found.items():
                for media, body in told.get("content", {}).items():
                    if body["schema"].get("format") != "binary":
                        yield (method, path, name, media), body


def example_of(schema, body):
    """Return the example of a body, the first of several, or that of its shape."""
    several = [one["value"] for one in body.get("examples", {}).values()]
    shape = schema["components"]["schemas"].get(body["schema"].get("$ref", "").rpartition("/")[2], {})
    return body.get("example", several[0] if several else shape.get("example"))


def test_every_body_that_is_taken_or_given_has_an_example(schema):
    found = list(bodies(schema))
    assert [where for where, body in found if example_of(schema, body) is None] == []
    assert len(found) > 200


def test_every_example_has_the_shape_it_illustrates(schema):
    wrong = []
    for where, body in bodies(schema):
        validator = jsonschema_rs.Draft202012Validator(body["schema"] | {"components": schema["components"]})
        wrong += [(where, error.message) for error in validator.iter_errors(example_of(schema, body))]
    assert wrong == []


def test_every_route_describes_who_may_not_and_what_is_wrong_with_an_example_of_its_own_status(schema):
    problems = [(where, body["example"]) for where, body in bodies(schema) if where[3] == "application/problem+json"]
    assert [where for where, example in problems if str(example["status"]) != where[2]] == []


def test_a_generated_client_can_call_each_route_by_a_name_of_its_own(schema):
    names = [route["operationId"] for routes in schema["paths"].values() for route in routes.values()]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and "v1" not in name for name in names)
