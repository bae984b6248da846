#include "store/aliases.h"

#include <map>
#include <optional>

#include "base/clock.h"
#include "base/text.h"
#include "store/records.h"
#include "store/store.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

constexpr std::string_view kColumns =
    "SELECT number, alias, action, candidate, candidate_name, candidate_object, engine_id, "
    "ifnull(gate_run_id, ''), because, who, unix_ms, ifnull(previous, 0) FROM releases ";

Release release_of_row(const Statement& row) {
  Release release;
  release.number = row.integer(0);
  release.alias = row.text(1);
  release.action = row.text(2);
  release.candidate = row.text(3);
  release.candidate_name = row.text(4);
  release.candidate_object = row.text(5);
  release.engine_id = row.text(6);
  release.gate_run_id = row.text(7);
  release.because = row.text(8);
  release.who = row.text(9);
  release.unix_ms = row.integer(10);
  release.previous = row.integer(11);
  return release;
}

Result<std::optional<Release>> one(Database& database, std::string_view where, auto value) {
  SLIPWAY_TRY(query, database.prepare(std::string(kColumns) + std::string(where) +
                                      " ORDER BY number DESC LIMIT 1"));
  SLIPWAY_TRY(found, query.bind(value).step());
  if (!found) return std::optional<Release>();
  return std::optional<Release>(release_of_row(query));
}

Status insert(Database& database, Release& release) {
  SLIPWAY_TRY(statement,
              database.prepare("INSERT INTO releases (alias, action, candidate, candidate_name, "
                               "candidate_object, engine_id, gate_run_id, because, who, unix_ms, "
                               "previous) VALUES (?, ?, ?, ?, ?, ?, nullif(?, ''), ?, ?, ?, "
                               "nullif(?, 0))"));
  SLIPWAY_CHECK(statement
                    .bind(release.alias, release.action, release.candidate, release.candidate_name,
                          release.candidate_object, release.engine_id, release.gate_run_id,
                          release.because, release.who, release.unix_ms, release.previous)
                    .run());
  release.number = database.last_insert_id();
  return {};
}

// The evidence, read in the transaction that relies on it: a pass beside what it would replace.
Status check_evidence(Database& database, const Release& release,
                      const std::optional<Release>& current) {
  const std::string gate = "gate run '" + release.gate_run_id.substr(0, 8) + "'";
  SLIPWAY_TRY(query,
              database.prepare("SELECT kind, status, json_extract(inputs, '$.candidate'), "
                               "(SELECT value FROM tags WHERE run_id = id AND key = 'verdict'), "
                               "(SELECT count(*) FROM tags WHERE run_id = id AND key = 'imported')"
                               ", json_extract(inputs, '$.against') FROM runs WHERE id = ?"));
  SLIPWAY_TRY(found, query.bind(release.gate_run_id).step());
  if (!found) return Error::not_found("no " + gate, "`slipway runs --kind gate` lists them");
  if (query.text(0) != "gate" || query.text(1) != "finished") {
    return Error::permission_denied(
        "'" + release.gate_run_id.substr(0, 8) + "' is no finished gate run",
        "run `slipway gate CANDIDATE --against NAME`");
  }
  if (query.text(2) != release.candidate) {
    return Error::permission_denied(gate + " proved another candidate (" +
                                        query.text(2).substr(0, 8) + ", not " +
                                        release.candidate.substr(0, 8) + ")",
                                    "run the gate for this very candidate");
  }
  if (query.integer(4) != 0) {
    return Error::permission_denied(gate + " was run elsewhere and imported",
                                    "run the gate for this candidate here");
  }
  if (current && query.text(5) != current->candidate) {
    return Error::permission_denied(
        gate + " compared with another candidate than '" + release.alias + "' is now (" +
            current->candidate_name + ")",
        "run `slipway gate " + release.candidate_name + " --against " + release.alias + "`");
  }
  if (query.text(3) == "pass") return {};
  return Error::permission_denied(gate + " did not pass: its verdict is '" + query.text(3) + "'",
                                  "improve the candidate, or record why with --force --because");
}

Status check_alias(const Release& release) {
  SLIPWAY_CHECK(check_key("alias", release.alias));
  SLIPWAY_CHECK(check_key("candidate name", release.candidate_name));
  return check_text("the reason", release.because);
}

Status check_names(const Release& release) {
  SLIPWAY_CHECK(check_alias(release));
  if (!release.gate_run_id.empty() || release.forced()) return {};
  return Error::permission_denied("there is no gate run for the candidate",
                                  "run `slipway gate`, then promote with --gate RUN");
}

}  // namespace

Result<Release> Store::promote(Release release) {
  SLIPWAY_CHECK(check_names(release));
  if (!has_object(release.candidate_object)) {
    return Error::not_found("the candidate's content is not in the store",
                            "run the gate again: it puts it there");
  }
  release.action = "promote";
  release.unix_ms = now_unix_ms();
  const auto moved = impl_->writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(current, one(db, "WHERE alias = ?", release.alias));
    if (!release.forced()) SLIPWAY_CHECK(check_evidence(db, release, current));
    release.previous = current ? current->number : 0;
    return insert(db, release);
  });
  SLIPWAY_CHECK(moved);
  return release;
}

Result<int64_t> Store::take_releases(std::vector<Release> releases) {
  for (const auto& release : releases) {
    SLIPWAY_CHECK(check_alias(release));
    if (release.action != "promote" && release.action != "rollback")
      return Error::corrupt("a release that is neither a promotion nor a rollback");
  }
  if (releases.empty()) return 0;
  std::map<int64_t, int64_t> numbers;  // there -> here
  const auto taken = impl_->writer.write([&](Database& db) -> Status {
    numbers.clear();
    std::map<std::string, bool> stays;  // an alias as it is here
    for (auto release : releases) {
      if (!stays.contains(release.alias)) {
        SLIPWAY_TRY(here, one(db, "WHERE alias = ?", release.alias));
        stays[release.alias] = here.has_value();
      }
      if (stays[release.alias]) continue;
      const auto there = release.number;
      const auto before = numbers.find(release.previous);
      release.previous = before == numbers.end() ? 0 : before->second;
      SLIPWAY_CHECK(insert(db, release));
      numbers[there] = release.number;
    }
    return {};
  });
  SLIPWAY_CHECK(taken);
  return std::ssize(numbers);
}

Result<Release> Store::roll_back(const std::string& alias, const std::string& who,
                                 const std::string& because) {
  Release back;
  const int64_t now_ms = now_unix_ms();
  SLIPWAY_CHECK(impl_->writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(current, one(db, "WHERE alias = ?", alias));
    if (!current) {
      return Error::not_found("nothing was released as '" + alias + "'",
                              "`slipway releases` lists what was");
    }
    SLIPWAY_TRY(before, one(db, "WHERE number = ?", current->previous));
    if (!before) {
      return Error::not_found(
          "'" + alias + "' has no release before '" + current->candidate_name + "'",
          "`slipway releases` shows its history");
    }
    back = *before;
    back.action = "rollback";
    back.because = because;
    back.who = who;
    back.unix_ms = now_ms;
    return insert(db, back);
  }));
  return back;
}

Result<std::optional<Release>> Store::release_of(const std::string& alias) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  return one(*reader, "WHERE alias = ?", alias);
}

Result<std::vector<Release>> Store::releases(const std::string& alias) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query, reader->prepare(std::string(kColumns) +
                                     "WHERE ?1 = '' OR alias = ?1 ORDER BY number DESC"));
  query.bind(alias);
  std::vector<Release> all;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return all;
    all.push_back(release_of_row(query));
  }
}

Result<Looks> Store::looks(const std::string& dataset_sha256) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(
      query, reader->prepare("SELECT count(*), count(DISTINCT json_extract(inputs, '$.candidate')) "
                             "FROM runs WHERE kind = 'eval' AND status = 'finished' "
                             "AND json_extract(inputs, '$.dataset_sha256') = ? "
                             "AND json_extract(inputs, '$.split') = 'test' "
                             "AND ifnull(parent_id, '') NOT IN "
                             "(SELECT id FROM runs WHERE kind = 'reproduce')"));
  SLIPWAY_TRY(row, query.bind(dataset_sha256).step());
  if (!row) return Looks{};
  return Looks{query.integer(0), query.integer(1)};
}

}  // namespace slipway::store
