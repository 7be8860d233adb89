// This file is part of coppice. License: see LICENSE in the source root.

#include "completion.hpp"

#include <algorithm>
#include <cstddef>

namespace coppice::tool {

namespace {

/// In single quotes, for all three shells.
std::string shell_quoted(const std::string& text) {
  std::string result = "'";
  for (const auto c : text)
    result += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return result + '\'';
}

std::string join(const std::vector<std::string>& words) {
  std::string result;
  for (const auto& word : words)
    result += (result.empty() ? "" : " ") + word;
  return result;
}

/// Calls `f(path, command)` for each, the path being "ctl stop".
template <class F>
void for_each(const command_model& root, const std::string& path, F& f) {
  f(path, root);
  for (const auto& sub : root.commands)
    for_each(sub, path.empty() ? sub.name : path + ' ' + sub.name, f);
}

std::vector<std::string> words_of(const command_model& command) {
  std::vector<std::string> result;
  for (const auto& sub : command.commands)
    result.push_back(sub.name);
  for (const auto& option : command.options)
    for (const auto& name : option.names)
      result.push_back(name);
  return result;
}

// -- bash and zsh ------------------------------------------------------------

/// Says, for both: which subcommand is this, and what may come next.
///
/// `$words_before`: without the program's name and the word at the cursor.
std::string rules(const command_model& root) {
  std::string known;
  std::string arms;
  auto add = [&](const std::string& path, const command_model& command) {
    if (!path.empty())
      known += (known.empty() ? "" : "|") + shell_quoted(path);
    std::string values;
    for (const auto& option : command.options)
      if (option.takes_value)
        for (const auto& name : option.names)
          values += "        " + name
                    + ") type=" + shell_quoted(option.value.type) + " ;;\n";
    arms += "    " + shell_quoted(path) + ")\n      candidates="
            + shell_quoted(join(words_of(command))) + '\n';
    if (!values.empty())
      arms += "      case \"$previous\" in\n" + values + "      esac\n";
    for (const auto& positional : command.positionals)
      arms += "      here=" + shell_quoted(positional.type) + '\n';
    arms += "      ;;\n";
  };
  for_each(root, "", add);
  return "  local command='' type='' here='' candidates='' word\n"
         "  for word in \"${words_before[@]}\"; do\n"
         "    case \"${command:+$command }$word\" in\n      "
         + known
         + ") command=\"${command:+$command }$word\" ;;\n"
           "    esac\n"
           "  done\n"
           "  case \"$command\" in\n"
         + arms + "  esac\n";
}

constexpr const char* bash_values = R"sh(# What is of this type, one a line.
_coppice_values() {
  case "$1" in
    PATH) coppice tree --paths 2>/dev/null ;;
    NAME) coppice list --names 2>/dev/null ;;
    KIND) coppice kinds --names 2>/dev/null ;;
    *'|'*) printf '%s\n' "$1" | tr '|' '\n' ;;
  esac
}

)sh";

constexpr const char* bash_end = R"sh(  local IFS=$'\n'
  if [[ -n $type ]]; then
    candidates=''
  elif [[ $current != -* ]]; then
    type=$here
  fi
  if [[ $type == FILE ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$current"))
    return
  fi
  COMPREPLY=()
  local word
  while read -r word; do # ids are data: nothing in them is to be expanded
    if [[ -n $word && $word == "$current"* ]]; then
      COMPREPLY+=("$(printf '%q' "$word")")
    fi
  done < <(tr ' ' '\n' <<<"$candidates"
    _coppice_values "$type")
}
complete -F _coppice coppice
)sh";

constexpr const char* zsh_end = R"sh(  local -a found
  if [[ -n $type ]]; then
    candidates=''
  elif [[ $current != -* ]]; then
    type=$here
  fi
  if [[ $type == FILE ]]; then
    _files
    return
  fi
  found=(${=candidates} ${(f)"$(_coppice_values "$type")"})
  compadd -- $found
}
compdef _coppice coppice
)sh";

} // namespace

std::string bash_completion(const command_model& root) {
  return "# Completion of coppice for bash. Made by: coppice completion "
         "bash\n\n"
         + std::string{bash_values}
         + "_coppice() {\n"
           "  local current=${COMP_WORDS[COMP_CWORD]}\n"
           "  local previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "  local words_before=(\"${COMP_WORDS[@]:1:COMP_CWORD - 1}\")\n"
         + rules(root) + bash_end;
}

std::string zsh_completion(const command_model& root) {
  return "#compdef coppice\n"
         "# Completion of coppice for zsh. Made by: coppice completion zsh\n\n"
         + std::string{bash_values}
         + "_coppice() {\n"
           "  local current=${words[CURRENT]} previous=${words[CURRENT-1]}\n"
           "  local -a words_before\n"
           "  words_before=(\"${(@)words[2,CURRENT-1]}\")\n"
         + rules(root) + zsh_end;
}

// -- fish --------------------------------------------------------------------

namespace {

std::string fish_values(const std::string& type) {
  if (type == "PATH")
    return " -a '(coppice tree --paths 2>/dev/null)'";
  if (type == "NAME")
    return " -a '(coppice list --names 2>/dev/null)'";
  if (type == "KIND")
    return " -a '(coppice kinds --names 2>/dev/null)'";
  if (type.find('|') == std::string::npos)
    return {};
  auto words = type;
  for (auto& c : words)
    if (c == '|')
      c = ' ';
  return " -a " + shell_quoted(words);
}

/// True where the command at hand is `path`.
std::string fish_condition(const std::string& path,
                           const command_model& command) {
  if (path.empty())
    return "__fish_use_subcommand";
  std::string result;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find(' ', begin), path.size());
    result
      += (result.empty() ? "" : "; and ")
         + ("__fish_seen_subcommand_from " + path.substr(begin, end - begin));
    begin = end + 1;
  }
  if (command.commands.empty())
    return result;
  result += "; and not __fish_seen_subcommand_from";
  for (const auto& sub : command.commands)
    result += ' ' + sub.name;
  return result;
}

std::string fish_option(const option_model& option) {
  std::string result;
  for (const auto& name : option.names)
    result += name.starts_with("--") ? " -l " + name.substr(2)
                                     : " -s " + name.substr(1);
  if (option.takes_value)
    result += (option.value.type == "FILE" ? " -rF" : " -x")
              + fish_values(option.value.type);
  return result + " -d " + shell_quoted(option.description);
}

} // namespace

std::string fish_completion(const command_model& root) {
  std::string result
    = "# Completion of coppice for fish. Made by: coppice completion fish\n\n"
      "complete -c coppice -f\n";
  auto add = [&](const std::string& path, const command_model& command) {
    const auto begin = "complete -c coppice -n "
                       + shell_quoted(fish_condition(path, command));
    for (const auto& sub : command.commands)
      result += begin + " -a " + sub.name + " -d "
                + shell_quoted(sub.description) + '\n';
    for (const auto& option : command.options)
      result += begin + fish_option(option) + '\n';
    for (const auto& positional : command.positionals)
      result += begin
                + (positional.type == "FILE" ? " -F"
                                             : fish_values(positional.type))
                + '\n';
  };
  for_each(root, "", add);
  return result;
}

} // namespace coppice::tool
