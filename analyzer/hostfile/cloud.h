/*
 * cloud: what the clouds' command lines print of an instance: its console (aws ec2
 * get-console-output, gcloud compute instances get-serial-port-output --format=json), its
 * description (aws ec2 describe-instances).
 */
#pragma once

#include "hostfile/recognise.h"

bool cloud_console_recognise(const struct hostfile_head *head);
void cloud_console_parse(struct reader *r, struct collection *c);

bool cloud_instances_recognise(const struct hostfile_head *head);
void cloud_instances_parse(struct reader *r, struct collection *c);
