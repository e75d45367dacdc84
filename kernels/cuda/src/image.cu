// NormalizePixels and Patchify: kernels/ops_image.go.
#include "include/tensor.cuh"

struct Channels {
  float mean[3], std[3];
};

// x is packed RGB, out planes of `pixels` elements.
KERNEL(256) normalize_pixels(const u8 *x, Vec out, Channels by, i64 pixels, i64 n) {
  EACH(i, n) {
    i64 image = i / (3 * pixels), c = i / pixels % 3, at = i % pixels;
    float mean = c == 0 ? by.mean[0] : c == 1 ? by.mean[1] : by.mean[2], std = c == 0 ? by.std[0] : c == 1 ? by.std[1] : by.std[2];
    store(out, i, ((float)x[(image * pixels + at) * 3 + c] / 255.0f - mean) / std);
  }
}
EXPORT_KERNEL(normalize_pixels)

// Element i of out is pixel (y, x) of channel c of patch (gy, gx).
KERNEL(256) patchify(Vec x, Vec out, i64 channels, i64 height, i64 width, i64 patch, i64 n) {
  i64 across = width / patch, down = height / patch;
  EACH(i, n) {
    i64 px = i % patch, py = i / patch % patch, c = i / (patch * patch) % channels, p = i / (patch * patch * channels);
    i64 gx = p % across, gy = p / across % down, image = p / (across * down);
    store(out, i, load(x, ((image * channels + c) * height + gy * patch + py) * width + gx * patch + px));
  }
}
EXPORT_KERNEL(patchify)
