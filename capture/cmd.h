/* cmd: the subcommands. Each parses its own arguments and returns the exit status. */
#pragma once

int cmd_facts(int argc, char **argv);
int cmd_ls(int argc, char **argv);
int cmd_mark(int argc, char **argv);
int cmd_nft(int argc, char **argv);
int cmd_push(int argc, char **argv);
int cmd_status(int argc, char **argv);
