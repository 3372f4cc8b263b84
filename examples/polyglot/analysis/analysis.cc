// A series of readings: smoothed here, described by whoever exports `prose`.

#include "analyst.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

struct Reading {
  std::string station;
  double celsius;
};
using Readings = std::vector<Reading>;

// What `series` stands for: the bindings leave this type to us.
struct exports_polyglot_weather_analysis_series_t {
  Readings readings;
};

namespace {

using SeriesRep = exports_polyglot_weather_analysis_series_t;
using ReadingList = exports_polyglot_weather_analysis_list_reading_t;
using SectionList = exports_polyglot_weather_analysis_list_section_t;

// Results belong to the caller of an export, who frees them: they come from malloc.
template <typename T>
T* allocate(size_t count) {
  auto* memory = static_cast<T*>(std::malloc(std::max<size_t>(1, count * sizeof(T))));
  if (!memory) std::abort();
  return memory;
}

analyst_string_t copy(const std::string& text) {
  analyst_string_t result;
  analyst_string_dup_n(&result, text.data(), text.size());
  return result;
}

ReadingList give(const Readings& readings) {
  ReadingList list{allocate<polyglot_weather_types_reading_t>(readings.size()), readings.size()};
  for (size_t i = 0; i < readings.size(); ++i) {
    list.ptr[i] = {copy(readings[i].station), readings[i].celsius};
  }
  return list;
}

// Takes what an export was given.
Readings take(ReadingList* list) {
  Readings readings;
  for (size_t i = 0; i < list->len; ++i) {
    const auto& [station, celsius] = list->ptr[i];
    readings.push_back({{reinterpret_cast<const char*>(station.ptr), station.len}, celsius});
  }
  exports_polyglot_weather_analysis_list_reading_free(list);
  return readings;
}

Readings smooth(const Readings& readings, size_t window) {
  Readings result;
  for (size_t i = 0; i < readings.size(); ++i) {
    size_t first = i - std::min(i, window);
    size_t last = i + std::min(readings.size() - 1 - i, window);
    double sum = 0;
    for (size_t j = first; j <= last; ++j) sum += readings[j].celsius;
    result.push_back({readings[i].station, sum / static_cast<double>(last - first + 1)});
  }
  return result;
}

// A page of the other component, for as long as this lives.
class Page {
 public:
  explicit Page(analyst_string_t* title) : page_(polyglot_weather_prose_constructor_page(title)) {}
  ~Page() { polyglot_weather_prose_page_drop_own(page_); }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  void add(const char* title, const Readings& readings) {
    ReadingList given = give(readings);
    polyglot_weather_prose_list_reading_t list{given.ptr, given.len};
    analyst_string_t text;
    analyst_string_set(&text, title);
    polyglot_weather_prose_section_t section;
    polyglot_weather_prose_method_page_add(borrow(), &text, &list, &section);
    polyglot_weather_prose_section_free(&section);
    exports_polyglot_weather_analysis_list_reading_free(&given);
  }

  // The caller owns the result.
  SectionList sections() {
    polyglot_weather_prose_list_section_t list;
    polyglot_weather_prose_method_page_sections(borrow(), &list);
    return {list.ptr, list.len};
  }

 private:
  polyglot_weather_prose_borrow_page_t borrow() const {
    return polyglot_weather_prose_borrow_page(page_);
  }

  polyglot_weather_prose_own_page_t page_;
};

}  // namespace

exports_polyglot_weather_analysis_own_series_t exports_polyglot_weather_analysis_constructor_series(
    ReadingList* readings) {
  return exports_polyglot_weather_analysis_series_new(new SeriesRep{take(readings)});
}

void exports_polyglot_weather_analysis_series_destructor(SeriesRep* series) { delete series; }

uint32_t exports_polyglot_weather_analysis_method_series_length(SeriesRep* series) {
  return static_cast<uint32_t>(series->readings.size());
}

void exports_polyglot_weather_analysis_method_series_smooth(SeriesRep* series, uint32_t window,
                                                            ReadingList* result) {
  *result = give(smooth(series->readings, window));
}

void exports_polyglot_weather_analysis_method_series_report(SeriesRep* series,
                                                            analyst_string_t* title,
                                                            SectionList* result) {
  Page page(title);
  analyst_string_free(title);
  page.add("as measured", series->readings);
  page.add("smoothed", smooth(series->readings, 1));
  *result = page.sections();
}
