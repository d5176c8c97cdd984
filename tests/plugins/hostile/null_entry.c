/* Has no function for scores. */
#define SCORE NULL
#include "base.h"
