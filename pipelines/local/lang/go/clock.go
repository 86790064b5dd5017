package main

import (
	"fmt"
	"strconv"
	"time"
	_ "time/tzdata" // time zones without the machine's own

	"github.com/robfig/cron/v3"
)

const maxTimes = 1_000_000

type scheduleArguments struct {
	Schedule string  `json:"schedule"`
	Timezone string  `json:"timezone"`
	Start    instant `json:"start"`
	End      instant `json:"end"`
}

// parseSchedule reads five fields or a descriptor. Without a time zone it is UTC, the controller's own in a cluster.
func parseSchedule(schedule, timezone string) (cron.Schedule, error) {
	if timezone == "" {
		timezone = "UTC"
	}
	return cron.ParseStandard("CRON_TZ=" + timezone + " " + schedule)
}

// cronTimes lists the firings in start ≤ t < end.
func cronTimes(a scheduleArguments) (any, error) {
	parsed, err := parseSchedule(a.Schedule, a.Timezone)
	if err != nil {
		return nil, err
	}
	found := []time.Time{}
	for at := parsed.Next(a.Start.Add(-time.Second)); !at.IsZero() && at.Before(a.End.Time); at = parsed.Next(at) {
		if found = append(found, at.UTC()); len(found) > maxTimes {
			return nil, fmt.Errorf("more than %d firings between %s and %s", maxTimes, a.Start, a.End)
		}
	}
	return found, nil
}

// cronCheck reads a schedule the way Argo's validation does: without the time zone.
func cronCheck(a scheduleArguments) (any, error) {
	_, err := cron.ParseStandard(a.Schedule)
	return nil, err
}

// timezoneCheck looks a time zone up in the database that schedules use.
func timezoneCheck(a textArguments) (any, error) {
	_, err := time.LoadLocation(a.Text)
	return nil, err
}

// duration reads a duration as retry and suspend do, in seconds: a whole number is seconds, else Go's own form.
func duration(a textArguments) (any, error) {
	if seconds, err := strconv.Atoi(a.Text); err == nil {
		return seconds, nil
	}
	parsed, err := time.ParseDuration(a.Text)
	if err != nil {
		return nil, fmt.Errorf("unable to parse %s as a duration: %w", a.Text, err)
	}
	return parsed.Seconds(), nil
}
