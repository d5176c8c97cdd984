/* Explains a score by factors that do not add up to it. */
#define FACTOR -1.0f
#include "base.h"
