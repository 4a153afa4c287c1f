from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import path

import views

urlpatterns = [
    path('', views.home),
    path('admin/', admin.site.urls),
    path('accounts/login/', auth.LoginView.as_view(template_name='form.html')),
    path('accounts/logout/', auth.LogoutView.as_view()),
    path('accounts/password/', auth.PasswordChangeView.as_view(template_name='form.html', success_url='/whoami')),
    path('whoami', views.whoami),
    path('perms', views.perms),
    path('session', views.session),
    path('count', views.count),
    path('messages', views.messages),
    path('form', views.form),
]
