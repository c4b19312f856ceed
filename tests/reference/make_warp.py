"""Makes warp.h: a small image turned, scaled, sheared and shifted by SciPy's bilinear interpolation,
for test_augment.c to compare with. Run with any SciPy: python3 make_warp.py > warp.h"""
import numpy
import scipy
from scipy.ndimage import affine_transform

HEIGHT, WIDTH, BACKGROUND = 7, 9, 0.25
# scale x, scale y, shear, angle in degrees (clockwise as seen), shift x, shift y
MOTIONS = [(1, 1, 0, 30, 0, 0), (1, 1, 0, -90, 0, 0), (1.2, 0.8, 0, 0, 0, 0), (1, 1, 0.3, 0, 0, 0),
           (1, 1, 0, 0, 0.75, -1.5), (0.9, 1.15, -0.2, 15, 1.25, 0.5)]


def array(name, values):
    values = numpy.asarray(values, dtype=float).reshape(-1)
    lines = [", ".join("%.17g" % v for v in values[i:i + 4]) for i in range(0, len(values), 4)]
    return "static const double %s[] = {\n    %s};\n" % (name, ",\n    ".join(lines))


def moved(image, scale_x, scale_y, shear, angle, shift_x, shift_y):
    """x to the right and y down; SciPy wants (row, column), and the way back."""
    radians = numpy.deg2rad(angle)
    turn = numpy.array([[numpy.cos(radians), -numpy.sin(radians)],
                        [numpy.sin(radians), numpy.cos(radians)]])
    forth = turn @ numpy.array([[1, shear], [0, 1]]) @ numpy.diag([scale_x, scale_y])
    back = numpy.linalg.inv(forth)[::-1, ::-1]
    center = (numpy.array(image.shape) - 1) / 2
    offset = center - back @ (center + [shift_y, shift_x])
    return affine_transform(image, back, offset, order=1, mode="grid-constant", cval=BACKGROUND)


image = numpy.random.default_rng(7).random((HEIGHT, WIDTH)).astype(numpy.float32).astype(float)
print("/* Made by make_warp.py with SciPy %s. Not edited by hand. */" % scipy.__version__)
print("enum { WARP_HEIGHT = %d, WARP_WIDTH = %d, WARP_MOTIONS = %d };" %
      (HEIGHT, WIDTH, len(MOTIONS)))
print("#define WARP_BACKGROUND %gf\n" % BACKGROUND)
print(array("warp_motions", MOTIONS))
print(array("warp_image", image))
print(array("warp_moved", [moved(image, *motion) for motion in MOTIONS]))
