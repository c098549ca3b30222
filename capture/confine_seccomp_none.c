/* Built where libseccomp is missing: the flag stays false, and the agent says so at start. */
#include "confine.h"

int confine_seccomp(struct confinement *c, struct error *err)
{
	(void)err;
	c->seccomp = false;
	return 0;
}
