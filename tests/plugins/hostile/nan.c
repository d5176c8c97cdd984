/* Gives scores that are no numbers. */
#include <math.h>

#define SCORE_OF NAN
#include "base.h"
