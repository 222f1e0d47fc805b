// Package prove holds the commands that check a stack: audit compares the tables with
// each other and with logs, doctor checks the deployment, drill triggers the alarms.
package prove
