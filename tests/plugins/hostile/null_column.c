/* Reads a column that is not there. */
#define SCORE_OF (float)(candidates->active_tasks[row] % 2u)
#include "base.h"
