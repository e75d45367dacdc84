"""CLIP's ViT image tower in fp32 by ONNX Runtime or torch. open: engine, weights (safetensors, open_clip's names), pixels
(a file of fp32 [batch,3,side,side], normalised), batch, heads.

Result: features of norm 1. ONNX Runtime gets the graph that open_clip would export, once with its plain attention and once
with ONNX Runtime's own fused attention; the faster is measured. torch runs eagerly in inference mode with its fused
scaled_dot_product_attention.
"""
import time

import numpy as np
from protocol import serve
from safetensors.numpy import load_file


class Shape:
    def __init__(self, w, heads):
        self.width, _, self.patch, _ = w["visual.conv1.weight"].shape
        self.tokens = w["visual.positional_embedding"].shape[0]
        self.layers = 1 + max(int(n.split(".")[3]) for n in w if n.startswith("visual.transformer.resblocks."))
        self.heads = heads


class ONNX:
    def __init__(self, w, pixels, heads):
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.pixels, best = pixels, None
        for fused in (False, True):
            model = graph(w, Shape(w, heads), pixels.shape, fused)
            session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            session.run(None, {"pixels": pixels})
            start = time.process_time()
            session.run(None, {"pixels": pixels})
            took = time.process_time() - start
            if best is None or took < best:
                best, self.session = took, session
                self.version = f"onnxruntime {ort.__version__}, {'fused' if fused else 'plain'} attention"

    def run(self):
        return self.session.run(None, {"pixels": self.pixels})[0]


def graph(w, s, pixels, fused):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, initializers, count = [], [], [0]

    def constant(value, name=None):
        count[0] += 1
        name = name or f"c{count[0]}"
        initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(op, *inputs, domain="", outputs=1, **attributes):
        count[0] += 1
        names = [f"t{count[0]}_{i}" for i in range(outputs)]
        nodes.append(helper.make_node(op, list(inputs), names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def norm(x, name):
        return node("LayerNormalization", x, constant(w[name + ".weight"]), constant(w[name + ".bias"]), axis=-1, epsilon=1e-5)

    def linear(x, weight, bias):
        return node("Add", node("MatMul", x, constant(weight.T)), constant(bias))

    b, d = pixels[0], s.width
    head = d // s.heads
    x = node("Conv", "pixels", constant(w["visual.conv1.weight"]), kernel_shape=[s.patch] * 2, strides=[s.patch] * 2)
    x = node("Transpose", node("Reshape", x, constant(np.array([b, d, -1]))), perm=[0, 2, 1])
    x = node("Concat", constant(np.broadcast_to(w["visual.class_embedding"], (b, 1, d))), x, axis=1)
    x = norm(node("Add", x, constant(w["visual.positional_embedding"])), "visual.ln_pre")
    for i in range(s.layers):
        p = f"visual.transformer.resblocks.{i}."
        y = norm(x, p + "ln_1")
        q, k, v = (linear(y, weight, bias) for weight, bias in
                   zip(np.split(w[p + "attn.in_proj_weight"], 3), np.split(w[p + "attn.in_proj_bias"], 3)))
        if fused:
            y = node("MultiHeadAttention", q, k, v, domain="com.microsoft", num_heads=s.heads)
        else:
            split = constant(np.array([b, s.tokens, s.heads, head]))
            q, v = (node("Transpose", node("Reshape", t, split), perm=[0, 2, 1, 3]) for t in (q, v))
            k = node("Transpose", node("Reshape", k, split), perm=[0, 2, 3, 1])
            scores = node("Mul", node("MatMul", q, k), constant(np.float32(head**-0.5)))
            y = node("Transpose", node("MatMul", node("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
            y = node("Reshape", y, constant(np.array([b, s.tokens, d])))
        x = node("Add", x, linear(y, w[p + "attn.out_proj.weight"], w[p + "attn.out_proj.bias"]))
        y = linear(norm(x, p + "ln_2"), w[p + "mlp.c_fc.weight"], w[p + "mlp.c_fc.bias"])
        y = node("Mul", y, node("Sigmoid", node("Mul", y, constant(np.float32(1.702)))))
        x = node("Add", x, linear(y, w[p + "mlp.c_proj.weight"], w[p + "mlp.c_proj.bias"]))
    x = node("Gather", x, constant(np.array(0)), axis=1)
    x = node("MatMul", norm(x, "visual.ln_post"), constant(w["visual.proj"]))
    nodes.append(helper.make_node("LpNormalization", [x], ["features"], axis=-1, p=2))
    float_info = helper.make_tensor_value_info
    g = helper.make_graph(nodes, "vision", [float_info("pixels", TensorProto.FLOAT, list(pixels))],
                          [float_info("features", TensorProto.FLOAT, [b, w["visual.proj"].shape[1]])], initializers)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(g, opset_imports=opsets, ir_version=9).SerializeToString()


class Torch:
    def __init__(self, w, pixels, heads):
        import torch
        import torch.nn.functional as F

        torch.set_num_threads(1)
        self.torch, self.F, self.shape = torch, F, Shape(w, heads)
        self.w = {name: torch.from_numpy(value) for name, value in w.items()}
        self.pixels = torch.from_numpy(pixels)
        self.version = f"torch {torch.__version__} eager"

    def norm(self, x, name):
        return self.F.layer_norm(x, (x.shape[-1],), self.w[name + ".weight"], self.w[name + ".bias"], 1e-5)

    def linear(self, x, name):
        return self.F.linear(x, self.w[name + "weight"], self.w[name + "bias"])

    def run(self):
        torch, F, w, s = self.torch, self.F, self.w, self.shape
        with torch.inference_mode():
            x = F.conv2d(self.pixels, w["visual.conv1.weight"], stride=s.patch).flatten(2).transpose(1, 2)
            b = x.shape[0]
            x = torch.cat([w["visual.class_embedding"].expand(b, 1, -1), x], dim=1) + w["visual.positional_embedding"]
            x = self.norm(x, "visual.ln_pre")
            for i in range(s.layers):
                p = f"visual.transformer.resblocks.{i}."
                qkv = self.linear(self.norm(x, p + "ln_1"), p + "attn.in_proj_")
                q, k, v = (t.unflatten(-1, (s.heads, -1)).transpose(1, 2) for t in qkv.chunk(3, dim=-1))
                y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
                x = x + self.linear(y, p + "attn.out_proj.")
                y = self.linear(self.norm(x, p + "ln_2"), p + "mlp.c_fc.")
                x = x + self.linear(y * torch.sigmoid(1.702 * y), p + "mlp.c_proj.")
            return F.normalize(self.norm(x[:, 0], "visual.ln_post") @ w["visual.proj"], dim=-1).numpy()


def open_peer(engine, weights, pixels, batch, heads):
    w = load_file(weights)
    side = w["visual.conv1.weight"].shape[-1] * int((w["visual.positional_embedding"].shape[0] - 1) ** 0.5)
    values = np.fromfile(pixels, dtype=np.float32).reshape(batch, 3, side, side)
    peer = {"onnxruntime": ONNX, "torch": Torch}[engine](w, values, heads)
    peer.write = lambda result, path: result.tofile(path)
    return peer


serve(open_peer)
