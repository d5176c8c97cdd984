/* Has a text for every reason code. */
#define ANY_REASON
#include "base.h"
