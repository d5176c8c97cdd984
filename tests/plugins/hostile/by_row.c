/* Prefers whoever stands first. */
#define SCORE_OF 1.0f / (float)(row + 1)
#include "base.h"
