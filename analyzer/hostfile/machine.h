/*
 * machine: which machine it is: uname -a, os-release, dmidecode, lsmod, modinfo, date, timedatectl,
 * and the packaging default of vhost_net.
 */
#pragma once

#include "hostfile/recognise.h"

bool machine_uname_recognise(const struct hostfile_head *head);
void machine_uname_parse(struct reader *r, struct collection *c);

bool machine_os_recognise(const struct hostfile_head *head);
void machine_os_parse(struct reader *r, struct collection *c);

bool machine_dmidecode_recognise(const struct hostfile_head *head);
void machine_dmidecode_parse(struct reader *r, struct collection *c);

/* lsmod, and /proc/modules. */
bool machine_modules_recognise(const struct hostfile_head *head);
void machine_modules_parse(struct reader *r, struct collection *c);

bool machine_modinfo_recognise(const struct hostfile_head *head);
void machine_modinfo_parse(struct reader *r, struct collection *c);

bool machine_date_recognise(const struct hostfile_head *head);
void machine_date_parse(struct reader *r, struct collection *c);

bool machine_timedatectl_recognise(const struct hostfile_head *head);
void machine_timedatectl_parse(struct reader *r, struct collection *c);

bool machine_qemu_default_recognise(const struct hostfile_head *head);
void machine_qemu_default_parse(struct reader *r, struct collection *c);

/* What `bothends collect` writes about itself. */
bool machine_collect_recognise(const struct hostfile_head *head);
void machine_collect_parse(struct reader *r, struct collection *c);
