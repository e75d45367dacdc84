// What lap_cgo.go calls. memory holds everything that is computed; the column of each row, or the row of each column when
// rows > cols, stands at its first 64-byte boundary. 1: solved; 0: there is no complete assignment; -1: a value is not
// allowed (f32: NaN and infinities, f64: NaN and -Inf).

int mmc4_lap_f32(int avx512, const float *values, float sign, int rows, int cols, double *memory);
int mmc4_lap_f64(int avx512, const double *values, int rows, int cols, double *memory);
