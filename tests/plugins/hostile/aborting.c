/* Aborts when it is asked for scores. */
#define ON_SCORE abort();
#include "base.h"
