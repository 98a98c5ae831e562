"""Calls a server with the clients of the KServe SDK, over REST (protocol V2) and gRPC. Run by kserve.test.ts."""

import sys
import types
from importlib.util import find_spec
from unittest.mock import MagicMock

from cases import ONES, RISING, SPECIAL, VALUES, echo, run_cases

# The package starts with its model server and a Kubernetes client, 350 MB that its inference clients do not need.
package = types.ModuleType("kserve")
package.__path__ = list(find_spec("kserve").submodule_search_locations)
sys.modules["kserve"] = package
SERVER_PARTS = ("pandas", "psutil", "cloudevents", "cloudevents.conversion", "cloudevents.http", "fastapi", "fastapi.responses")
sys.modules.update({name: MagicMock() for name in SERVER_PARTS})

import grpc  # noqa: E402
import httpx  # noqa: E402
import numpy as np  # noqa: E402
from kserve.inference_client import InferenceGRPCClient, InferenceRESTClient, RESTConfig  # noqa: E402
from kserve.logging import trace_logger  # noqa: E402
from kserve.protocol.infer_type import InferInput, InferRequest, RequestedOutput  # noqa: E402

trace_logger.disabled = True


def rest():
    return InferenceRESTClient(RESTConfig(protocol="v2", retries=0, timeout=10))


def base(server):
    return f"http://{server['http']}"


def tensor(name, datatype, array, is_binary):
    made = InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array, binary_data=is_binary)
    return made


def simple_request(is_binary, model="simple", arrays=(RISING, ONES), **options):
    inputs = [tensor(f"INPUT{i}", "INT32", array, is_binary) for i, array in enumerate(arrays)]
    return InferRequest(model, inputs, **options)


def output(response, name):
    (found,) = [each for each in response.outputs if each.name == name]
    return found.as_numpy()


async def answer(call):
    return output(await call, "OUTPUT")


# REST ---------------------------------------------------------------------------------------------------


async def rest_health(server):
    async with rest() as client:
        return {
            "live": await client.is_server_live(base(server)),
            "ready": await client.is_server_ready(base(server)),
            "model": await client.is_model_ready(base(server), "simple"),
            "absent": await client.is_model_ready(base(server), "absent"),
            "unknown": await client.is_model_ready(base(server), "nobody"),
        }


async def rest_simple(server):
    """Tensors as JSON, as bytes, replies as bytes, and a request that is a dictionary."""
    everything_binary = {"binary_data_output": True}
    one_binary = [RequestedOutput("OUTPUT0", {"binary_data": True}), RequestedOutput("OUTPUT1")]
    plain = {
        "inputs": [
            {"name": f"INPUT{i}", "datatype": "INT32", "shape": [1, 16], "data": array.tolist()}
            for i, array in enumerate((RISING, ONES))
        ]
    }
    async with rest() as client:
        answers = []
        for request in (
            simple_request(False),
            simple_request(True),
            simple_request(True, parameters=everything_binary),
            simple_request(False, request_outputs=one_binary),
            plain,
        ):
            response = await client.infer(base(server), request, model_name="simple")
            answers.append([output(response, name).tolist() for name in ("OUTPUT0", "OUTPUT1")])
        return answers


async def rest_identity(server):
    async with rest() as client:
        request = simple_request(False, request_id="my-id")
        response = await client.infer(base(server), request, model_name="simple")
        return [response.id, response.model_name]


async def rest_datatypes(server):
    """[sent, received] of each datatype as bytes in both directions, those that JSON lacks among them."""
    echoes = {}
    async with rest() as client:
        for datatype, array in [*VALUES.items(), *((f"{name} special", array) for name, array in SPECIAL.items())]:
            datatype_name = datatype.split()[0]
            model = f"identity-{datatype_name.lower()}"
            request = InferRequest(
                model, [tensor("INPUT", datatype_name, array, True)], parameters={"binary_data_output": True}
            )
            echoes[datatype] = await echo(array, answer(client.infer(base(server), request, model_name=model)))
    return echoes


async def rest_json_datatypes(server):
    echoes = {}
    async with rest() as client:
        for datatype, array in VALUES.items():
            if datatype == "FP16":
                continue
            model = f"identity-{datatype.lower()}"
            request = InferRequest(model, [tensor("INPUT", datatype, array, False)])
            echoes[datatype] = await echo(array, answer(client.infer(base(server), request, model_name=model)))
    return echoes


async def rest_refusals(server):
    async with rest() as client:

        async def refusal(request, model):
            try:
                await client.infer(base(server), request, model_name=model)
            except httpx.HTTPStatusError as error:
                return {"status": error.response.status_code, "message": str(error)}
            return "answered"

        short = np.zeros((1, 15), dtype=np.int32)
        return {
            "unknown model": await refusal(simple_request(True, "nobody"), "nobody"),
            "not ready": await refusal(simple_request(True, "absent"), "absent"),
            "wrong shape": await refusal(simple_request(True, arrays=(short, ONES)), "simple"),
        }


# gRPC ---------------------------------------------------------------------------------------------------


async def grpc_health(server):
    async with InferenceGRPCClient(server["grpc"]) as client:
        return {
            "live": await client.is_server_live(),
            "ready": await client.is_server_ready(),
            "model": await client.is_model_ready("simple"),
            "absent": await client.is_model_ready("absent"),
        }


async def grpc_datatypes(server):
    """[sent, received] of each datatype: raw contents, and typed contents where the datatype has them."""
    echoes = {}
    async with InferenceGRPCClient(server["grpc"]) as client:
        for datatype, array in VALUES.items():
            model = f"identity-{datatype.lower()}"
            raw = InferRequest(model, [tensor("INPUT", datatype, array, True)])
            echoes[f"{datatype} raw"] = await echo(array, answer(client.infer(raw)))
            if datatype == "FP16":
                continue
            elements = [e.encode() for e in array.flatten()] if datatype == "BYTES" else array.flatten().tolist()
            typed = InferInput("INPUT", list(array.shape), datatype, data=elements)
            echoes[f"{datatype} typed"] = await echo(array, answer(client.infer(InferRequest(model, [typed]))))
    return echoes


async def grpc_simple(server):
    async with InferenceGRPCClient(server["grpc"]) as client:
        response = await client.infer(simple_request(True, request_id="my-id"))
        return [response.id, *(output(response, name).tolist() for name in ("OUTPUT0", "OUTPUT1"))]


async def grpc_refusals(server):
    # No retries: they would only make the test slower.
    async with InferenceGRPCClient(server["grpc"], retries=0) as client:

        async def refusal(request, **options):
            try:
                await client.infer(request, **options)
            except grpc.RpcError as error:
                return {"status": error.code().name, "message": error.details()}
            return "answered"

        short = np.zeros((1, 15), dtype=np.int32)
        slow = InferRequest("slow", [tensor("INPUT", "FP32", np.ones((1, 4), dtype=np.float32), True)])
        return {
            "unknown model": await refusal(simple_request(True, "nobody")),
            "not ready": await refusal(simple_request(True, "absent")),
            "wrong shape": await refusal(simple_request(True, arrays=(short, ONES))),
            "out of time": await refusal(slow, timeout=0.05),
        }


if __name__ == "__main__":
    run_cases(
        [
            rest_health,
            rest_simple,
            rest_identity,
            rest_datatypes,
            rest_json_datatypes,
            rest_refusals,
            grpc_health,
            grpc_simple,
            grpc_datatypes,
            grpc_refusals,
        ]
    )
