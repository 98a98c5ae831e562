"""MLServer with a runtime of one's own, as its documentation teaches it."""

import numpy as np
from bench_model import Model
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class OnnxRuntime(MLModel):
    async def load(self) -> bool:
        self._bench = Model()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32, copy=False)
        output = NumpyCodec.encode_output("y", self._bench.run(rows))
        return InferenceResponse(model_name=self.name, outputs=[output])
