package fakegithub

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// listWorkflows gives the workflows in the order of their paths.
func (s *Server) listWorkflows(c *call) answer {
	if !s.here(c) {
		return notFound()
	}
	all := []any{}
	for i, file := range slices.Sorted(maps.Keys(s.config.Workflows)) {
		name := strings.TrimSuffix(path.Base(file), path.Ext(file))
		web := site + s.repositoryPath()
		all = append(all, map[string]any{
			"id": i + 1, "node_id": nodeID("Workflow", int64(i+1)), "name": name, "path": file, "state": s.config.Workflows[file],
			"created_at": stamp(s.now()), "updated_at": stamp(s.now()),
			"url":       c.base + "/repos/" + s.repositoryPath() + "/actions/workflows/" + path.Base(file),
			"html_url":  web + "/blob/main/" + file,
			"badge_url": web + "/workflows/" + name + "/badge.svg",
		})
	}
	return ok(map[string]any{"total_count": len(all), "workflows": all})
}

// enableWorkflow is for people: the token of a job has no permission "actions: write".
func (s *Server) enableWorkflow(c *call) answer {
	if !s.here(c) {
		return notFound()
	}
	if c.user.Bot {
		return integration()
	}
	for file := range s.config.Workflows {
		if path.Base(file) == c.args[2] {
			s.config.Workflows[file] = "active"
			return answer{status: http.StatusNoContent}
		}
	}
	return notFound()
}

// startWorkflow is for people and Apps, like enableWorkflow.
func (s *Server) startWorkflow(c *call) answer {
	if !s.here(c) {
		return notFound()
	}
	if c.user.Bot {
		return integration()
	}
	var want struct {
		Ref    string
		Inputs map[string]string
	}
	if err := json.Unmarshal(c.body, &want); err != nil || want.Ref != "main" {
		return refuse(http.StatusUnprocessableEntity, "No ref found for: "+want.Ref)
	}
	for file, state := range s.config.Workflows {
		if path.Base(file) != c.args[2] {
			continue
		}
		if state != "active" {
			return refuse(http.StatusUnprocessableEntity, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
		}
		r := &run{id: s.id(), file: c.args[2], title: want.Inputs["images"], created: s.now()}
		s.runs = append([]*run{r}, s.runs...)
		s.notify(Event{Kind: Dispatched, User: c.user, Text: r.title, Inputs: want.Inputs, Run: r.id})
		return answer{status: http.StatusNoContent}
	}
	return notFound()
}

// EndRun ends the run with a title that was started last, with a conclusion such as
// "failure" and the annotations of its job.
func (s *Server) EndRun(title, conclusion string, annotations ...Annotation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.runs {
		if r.title == title {
			r.conclusion, r.annotations = conclusion, annotations
			return
		}
	}
}

// listRuns gives the runs that were started by hand, newest first.
func (s *Server) listRuns(c *call) answer {
	if !s.here(c) {
		return notFound()
	}
	all := []any{}
	for _, r := range s.runs {
		if r.file != c.args[2] {
			continue
		}
		status, conclusion := "queued", any(nil)
		if r.conclusion != "" {
			status, conclusion = "completed", r.conclusion
		}
		api := fmt.Sprintf("%s/repos/%s/actions/runs/%d", c.base, s.repositoryPath(), r.id)
		workflow := c.base + "/repos/" + s.repositoryPath() + "/actions/workflows/" + r.file
		all = append(all, map[string]any{
			"id": r.id, "node_id": nodeID("WorkflowRun", r.id), "name": "mirror", "display_title": r.title, "event": "workflow_dispatch",
			"status": status, "conclusion": conclusion, "run_number": 1, "path": ".github/workflows/" + r.file, "workflow_id": 1,
			"created_at": stamp(r.created), "updated_at": stamp(r.created),
			"head_branch": "main", "head_sha": strings.Repeat("0", 40), "head_commit": nil, "pull_requests": []any{},
			"repository": s.repositoryJSON(c.base), "head_repository": s.repositoryJSON(c.base),
			"html_url": fmt.Sprintf("%s%s/actions/runs/%d", site, s.repositoryPath(), r.id),
			"url":      api, "jobs_url": api + "/jobs", "logs_url": api + "/logs", "cancel_url": api + "/cancel", "rerun_url": api + "/rerun",
			"artifacts_url": api + "/artifacts", "check_suite_url": c.base + "/repos/" + s.repositoryPath() + "/check-suites/1", "workflow_url": workflow,
		})
	}
	return ok(map[string]any{"total_count": len(all), "workflow_runs": all})
}

// listJobs gives the jobs of a run: one with the number of the run, and, when that has
// ended, three before it that were skipped.
func (s *Server) listJobs(c *call) answer {
	if !s.here(c) {
		return notFound()
	}
	for _, r := range s.runs {
		if strconv.FormatInt(r.id, 10) != c.args[2] {
			continue
		}
		status, conclusion, completed := "queued", any(nil), any(nil)
		if r.conclusion != "" {
			status, conclusion, completed = "completed", r.conclusion, stamp(r.created)
		}
		api := c.base + "/repos/" + s.repositoryPath()
		job := map[string]any{
			"id": r.id, "run_id": r.id, "node_id": nodeID("CheckRun", r.id), "name": "mirror", "workflow_name": "mirror", "head_branch": "main",
			"head_sha": strings.Repeat("0", 40), "status": status, "conclusion": conclusion, "run_attempt": 1, "labels": []any{}, "steps": []any{},
			"created_at": stamp(r.created), "started_at": stamp(r.created), "completed_at": completed,
			"runner_id": nil, "runner_name": nil, "runner_group_id": nil, "runner_group_name": nil,
			"url": fmt.Sprintf("%s/actions/jobs/%d", api, r.id), "run_url": fmt.Sprintf("%s/actions/runs/%d", api, r.id),
			"check_run_url": fmt.Sprintf("%s/check-runs/%d", api, r.id),
			"html_url":      fmt.Sprintf("%s%s/actions/runs/%d/job/%d", site, s.repositoryPath(), r.id, r.id),
		}
		var jobs []any
		if conclusion != nil {
			skipped := maps.Clone(job)
			skipped["id"], skipped["name"], skipped["conclusion"] = -r.id, "archive", "skipped" // no check run has the number
			jobs = []any{skipped, skipped, skipped}
		}
		jobs = append(jobs, job)
		return ok(map[string]any{"total_count": len(jobs), "jobs": jobs})
	}
	return notFound()
}

// listAnnotations gives the annotations of a job, after one of GitHub's own.
func (s *Server) listAnnotations(c *call) answer {
	if !s.here(c) {
		return notFound()
	}
	for _, r := range s.runs {
		if strconv.FormatInt(r.id, 10) != c.args[2] {
			continue
		}
		all := []any{}
		for _, a := range append([]Annotation{{Message: "Process completed with exit code 1."}}, r.annotations...) {
			var title any
			if a.Title != "" {
				title = a.Title
			}
			all = append(all, map[string]any{
				"path": ".github", "start_line": 1, "end_line": 1, "start_column": nil, "end_column": nil, "annotation_level": "failure",
				"title": title, "message": a.Message, "raw_details": nil, "blob_href": site + s.repositoryPath() + "/blob/main/.github",
			})
		}
		return ok(all)
	}
	return notFound()
}
